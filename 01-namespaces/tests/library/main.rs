//! The claims of the library that isolate(1) alone does not show.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod cgroup;
mod effects;
mod examples;
mod freezer;
mod group;
mod limit_refusals;
mod limits;
mod mounts;
mod overlay;
mod process;
mod root;
mod watches;
