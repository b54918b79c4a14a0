//! Attacks that broke container runtimes, each with the number under which it
//! was published. First on a careless way to do the same work, where it has to
//! succeed: an attack that fails everywhere proves nothing. Then on ours. Which
//! test is whose: `README.md` beside this.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod capabilities;
mod careless;
mod configuration;
mod console;
mod descriptors;
mod dev;
mod masks;
mod names;
mod procfs;
mod racer;
mod stdio;
mod symlinks;

#[path = "../lifecycle/driver.rs"]
#[allow(dead_code, reason = "what is left is for the tests of the lifecycle")]
mod driver;
