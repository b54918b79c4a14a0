//! What a terminal showed, as the lines of a page: without what shells say unasked.

use regex::Regex;
use std::path::Path;
use std::sync::LazyLock;

/// How a page writes the directory that its chapter began in.
pub(crate) const PAGE_HOME: &str = "/tmp/book";

/// What bash says about a background job, at whatever moment it notices.
static NOTICE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^\[\d+\][+-]?\s+(?:Done|Exit|Terminated|Killed|Hangup)\b.*\n?",
    )
    .expect("a constant pattern")
});

/// How Debian's busybox greets, with its version.
static BANNER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\n{0,2}BusyBox v.* built-in shell \(ash\)\nEnter 'help' for a list .*\n\n?")
        .expect("a constant pattern")
});

/// The lines of what was shown, to be compared with `page`; what shells say unasked is left out,
/// unless the page shows it.
pub(crate) fn lines(seen: &str, home: &Path, page: &[String]) -> Vec<String> {
    let mut seen = seen.replace(&*home.to_string_lossy(), PAGE_HOME);
    for unasked in [&BANNER, &NOTICE] {
        if !unasked.is_match(&(page.join("\n") + "\n")) {
            seen = unasked.replace_all(&seen, "").into_owned();
        }
    }
    let lines: Vec<_> =
        seen.lines().map(|line| line.trim_end().to_owned()).collect();
    without_trailing_blanks(&lines).to_vec()
}

/// The lines up to the last that is not blank.
pub(crate) fn without_trailing_blanks(lines: &[String]) -> &[String] {
    let end = lines
        .iter()
        .rposition(|line| !line.trim().is_empty())
        .map_or(0, |last| last + 1);
    &lines[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "/tmp/book.x1y2";

    fn shown(seen: &str, page: &[&str]) -> Vec<String> {
        let page: Vec<_> = page.iter().map(|line| (*line).to_owned()).collect();
        lines(seen, Path::new(HOME), &page)
    }

    #[test]
    fn a_job_that_ended_is_left_out_unless_the_page_shows_it() {
        let seen = "one\n[1]+  Done                    sleep 1\ntwo\n";
        assert_eq!(shown(seen, &["one", "two"]), ["one", "two"]);
        assert_eq!(shown(seen, &["[1]+  Done   sleep 1"]).len(), 3);
    }

    #[test]
    fn the_greeting_of_busybox_is_left_out_unless_the_page_shows_it() {
        let greeting = "\n\nBusyBox v1.35.0 (Debian) built-in shell (ash)\n\
            Enter 'help' for a list of built-in commands.\n\n";
        assert_eq!(shown(&format!("one\n{greeting}"), &[]), ["one"]);
        assert_eq!(
            shown(greeting, &greeting.lines().collect::<Vec<_>>()).len(),
            4
        );
    }

    #[test]
    fn the_chapters_directory_has_the_pages_name() {
        assert_eq!(shown("/tmp/book.x1y2/d\n\n", &[]), ["/tmp/book/d"]);
    }
}
