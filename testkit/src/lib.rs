//! What the tests of all stages share. A test of a container stack changes the
//! machine it runs on, so every test begins by saying what it needs, works
//! inside a scratch directory, and fails if anything of it is left behind.
//! Dev-dependency only: no program of the project links this crate.
//!
//! ```no_run
//! use testkit::{Bundle, Need, Scratch, requires};
//! if !requires(&[Need::Root, Need::Program("runc")]) { return }
//! let scratch = Scratch::new();
//! let bundle = Bundle::busybox(&scratch, "web", &["sh", "-c", "echo hi"]);
//! ```

mod bundle;
mod hierarchies;
mod leaks;
mod loop_device;
mod need;
mod programs;
mod scratch;
mod screen;
mod wait;

pub use bundle::Bundle;
pub use hierarchies::Hierarchies;
pub use loop_device::LoopDevice;
pub use need::{Need, requires};
pub use oci_spec::runtime as spec;
pub use programs::{
    RuntimeUnderTest, bin, crun, example, find_program, runtimes,
};
pub use scratch::Scratch;
pub use screen::Screen;
pub use wait::{eventually, subreaper};
