//! The program. All of it is in the library beside it, so that a fuzzer can call
//! the parts that decide without starting a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    imageless::main()
}
