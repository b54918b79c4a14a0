//! Stage 5: the container manager. `conmand` keeps many containers, in pods, and speaks CRI v1 over a Unix socket;
//! `conman` is a client of that interface and of nothing else, so `crictl` can take its place.
//!
//! One request goes through these layers, top to bottom:
//!
//! | layer | modules | what it does |
//! |---|---|---|
//! | client | [`cli`] | one file for each verb of `conman` |
//! | server | [`server`], [`cri`] | translates CRI's messages; decides nothing |
//! | manager | [`pods`], [`create`], [`lifecycle`], [`watch`], [`restore`] | what happens, one story for each file |
//! | objects | [`sandbox`], [`container`], [`registry`], [`store`] | what there is, and where it is kept |
//! | plans | [`spec`], [`user`], [`image`], [`signal`], [`unsupported`] | pure: from CRI's words to OCI's |
//! | outside | [`shim`], [`liveness`], [`exit`], [`runtimes`], [`pin`] | the shim, the runtimes, the kernel |
//!
//! Three rules hold everywhere. The manager is never a parent: a container's shim outlives it. What we did is
//! remembered, what became of it is observed (exit file, lock, pidfd). And before each step that a crash could cut
//! in two, the record says so, so that the next start can undo or finish it.
pub mod cli;
pub mod container;
pub mod create;
pub mod cri;
pub mod daemon;
pub mod error;
pub mod events;
pub mod exit;
pub mod image;
pub mod lifecycle;
pub mod liveness;
pub mod manager;
pub mod paths;
pub mod pin;
pub mod pods;
pub mod ready;
pub mod registry;
pub mod restore;
pub mod runtimes;
pub mod sandbox;
pub mod server;
pub mod shim;
pub mod signal;
pub mod spec;
pub mod store;
pub mod undo;
pub mod unsupported;
pub mod user;
pub mod watch;
