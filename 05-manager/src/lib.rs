//! Stage 5: the container manager. `conmand` keeps many containers, in pods,
//! and speaks CRI v1 over a Unix socket; `conman` is a client of that interface
//! and of nothing else, so `crictl` can take its place.
//!
//! A request goes through these layers, so read in this order:
//!
//! 1. Client: [`cli`], one file for each verb of `conman`.
//! 2. Server: [`daemon`] is conmand's life; [`server`] translates the messages
//!    of [`cri`] and decides nothing.
//! 3. What happens, one story in each file, all of them the [`manager`]'s:
//!    [`pods`], [`create`], [`lifecycle`], [`watch`], [`restore`].
//! 4. What there is: [`sandbox`], [`container`], [`events`], in a [`registry`]
//!    and on disk ([`store`], [`paths`]); [`undo`] for what fails half-way.
//! 5. Plans, from CRI's words to OCI's, mostly pure: [`plan`], [`spec`],
//!    [`namespaces`], [`user`], [`image`], [`signal`], [`unsupported`].
//! 6. Outside: the shim ([`shim`], [`liveness`], [`exit`]), the OCI runtimes
//!    ([`runtimes`]), the kernel ([`pin`], [`ready`]).
//!
//! Three rules hold everywhere. The manager is never a parent: a container's
//! shim outlives it. What we did is remembered, what became of it is observed
//! (exit file, lock, pidfd). And before each step that a crash could cut in
//! two, the record says so, so that the next start can undo or finish it.

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
pub mod namespaces;
pub mod paths;
pub mod pin;
pub mod plan;
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
