//! What a reader of the test's output has to know: the command, what was seen, the way out.

use crate::finding::Finding;
use crate::page::Page;
use crate::renaming::Difference;
use crate::terminal::Ending;

pub(crate) const BLESS: &str =
    "correct the page, or let `cargo xtask book bless` write what was shown";
const STATUS: &str =
    "declare it in the fence: ```console status=N, or show it: `echo $?`";
const HANG: &str = "a program that reads the terminal needs `</dev/null`, one that goes on `running`";

/// Says how the command at `line` ended, and that the page expected another status.
pub(crate) fn bad_end(
    page: &Page,
    line: usize,
    seen: &str,
    end: (&Ending, i32),
) -> Finding {
    let (ending, expected) = end;
    let (what, hint) = match ending {
        Ending::Status(status) => {
            (format!("exit status {status}, the page says {expected}"), STATUS)
        }
        Ending::Hang => ("no answer before the deadline".to_owned(), HANG),
        Ending::Closed => ("the terminal's shell has ended".to_owned(), ""),
        Ending::TooMuch => ("more than 1 MiB of output".to_owned(), ""),
    };
    let command = page.lines[line - 1].trim();
    let seen: String =
        seen.lines().map(|line| format!("\n  + {line}")).collect();
    let seen = if seen.is_empty() {
        "\n  and nothing was shown".to_owned()
    } else {
        seen
    };
    page.finding(line, format!("{what}\n    {command}{seen}"), hint)
}

/// Shows the output that begins at line `first`: what is equal, then page and run.
pub(crate) fn mismatch(
    page: &Page,
    first: usize,
    (shown, run): (&[String], &[String]),
    difference: &Difference,
) -> Finding {
    let mut what = "the run is not what the page shows".to_owned();
    let same =
        shown.iter().take(difference.index).map(|line| format!("    {line}"));
    let here =
        shown.iter().skip(difference.index).map(|line| format!("  - {line}"));
    let there =
        run.iter().skip(difference.index).map(|line| format!("  + {line}"));
    for line in same.chain(here).chain(there) {
        what.push('\n');
        what.push_str(&line);
    }
    if !difference.why.is_empty() {
        what.push_str(&format!("\n  because {}", difference.why));
    }
    page.finding(first + difference.index, what, BLESS)
}
