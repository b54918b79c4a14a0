//! Stage 3 as a library: a typed client of any OCI runtime's command line,
//! which stages 04 and 05 use as well.
//!
//! An OCI runtime is a program, not a library: it is driven by arguments,
//! answers with an exit status and a line of text, and is gone before its
//! container runs. [`Runtime`] is what can be had on top of that; what cannot
//! (output, exit code, the end of a container) is shown by the programs in
//! `examples/`, and cured by stage 04.

mod call;
mod create;
mod error;
mod program;
mod runtime;
mod state;
mod version;

pub use create::{Create, Mode};
pub use error::RuntimeError;
pub use program::default_program;
pub use runtime::{Force, Runtime};
pub use state::{State, Status};
pub use version::Version;
