//! What if nobody hears what we print: a reader such as head(1) stops halfway,
//! a disk is full. `println!` panics then, which reads as a bug of ours. It is
//! none: stop, quietly or with the reason.

use std::io::Write;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::process::exit;

/// Turns the panics of `print!` into an exit; all others stay as they are.
pub(crate) fn stop_if_unheard() {
    let others = take_hook();
    set_hook(Box::new(move |panic| match failed_print(panic) {
        Some(why) if why.contains("Broken pipe") => exit(0),
        Some(why) => {
            // Not `eprintln!`: it would panic in a panic.
            let _ = writeln!(std::io::stderr(), "xtask: write({why}");
            exit(1)
        }
        None => others(panic),
    }));
}

/// Gives `stdout): No space left on device (os error 28)`.
///
/// Source: std::io::stdio, `print_to`
fn failed_print(panic: &PanicHookInfo<'_>) -> Option<String> {
    let text = panic.payload_as_str()?.strip_prefix("failed printing to ")?;
    Some(text.replacen(':', "):", 1))
}
