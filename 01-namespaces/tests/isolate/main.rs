//! The claims of isolate(1), each asked of the kernel through the program.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod bad_input;
mod enter;
mod exit;
mod init;
mod inspect;
mod left_behind;
mod limits;
mod mounts;
mod namespaces;
mod odd_names;
mod pin;
mod rootfs;
mod rootless;
mod run;
mod unheard;
mod users;
mod ways_out;
