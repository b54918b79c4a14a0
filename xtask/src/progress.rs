//! Says what is going on: one line when a long step begins, one with its time
//! when it ends.
//!
//! Plain text, because a log file and a screen reader are terminals too.

use anyhow::Result;
use std::time::Instant;

/// Runs `work` between a line that names it and a line with the seconds it
/// took.
///
/// # Errors
/// Those of `work`, unchanged.
pub(crate) fn step<T>(
    title: &str,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    println!("==> {title}");
    let begin = Instant::now();
    let result = work();
    let word = if result.is_ok() { "done" } else { "FAILED" };
    println!("    {word}, {:.1} s", begin.elapsed().as_secs_f64());
    result
}

/// Breaks `text` at spaces so that no line passes column 80, each further line
/// indented.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && indent + last + 1 + word.chars().count() > 80 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines.join(&format!("\n{:indent$}", ""))
}

/// Ends a line that would pass column 80 after `indent` columns with `..`.
pub(crate) fn cut(line: &str, indent: usize) -> String {
    let room = 80 - indent;
    if line.chars().count() <= room {
        return line.to_owned();
    }
    line.chars().take(room - 2).collect::<String>() + ".."
}

#[cfg(test)]
mod tests {
    use super::{cut, wrapped};

    #[test]
    fn a_line_is_cut_only_if_it_passes_column_80() {
        let fits = "x".repeat(75);
        assert_eq!(cut(&fits, 5), fits);
        let cut = cut(&"x".repeat(76), 5);
        assert_eq!((cut.len(), &cut[72..]), (75, "x.."));
    }

    #[test]
    fn no_wrapped_line_passes_column_80() {
        let text = wrapped(&"seven77 ".repeat(40), 9);
        let widths: Vec<_> =
            text.lines().map(|line| line.chars().count()).collect();
        assert!(
            widths.len() > 3,
            "40 words of 7 do not fit in 3 lines: {widths:?}"
        );
        assert!(
            widths[0] <= 71,
            "the caller has printed 9 columns already: {widths:?}"
        );
        assert!(widths.iter().all(|width| *width <= 80), "{widths:?}");
    }

    #[test]
    fn a_word_longer_than_a_line_stays_whole() {
        let long = "x".repeat(100);
        assert_eq!(
            wrapped(&format!("a {long} b"), 2),
            format!("a\n  {long}\n  b")
        );
    }
}
