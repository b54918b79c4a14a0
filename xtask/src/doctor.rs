//! `cargo xtask doctor`: looks at the machine before anything fails on it.
//!
//! One line a finding; what is missing comes with one exact fix and with the
//! chapters that it blocks. Reading is all it does: nothing is built, installed
//! or changed.

mod cgroup;
mod kernel;
mod privilege;
mod user_namespace;

use crate::package::{PACKAGES, Package, chapters, install_line, is_present};
use crate::progress::wrapped;
use crate::stage::STAGES;
use anyhow::{Result, bail};

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// It is as it has to be.
    Fine(String),
    /// The remedy can be typed; the chapters are stage numbers.
    Missing { what: String, fix: String, blocks: Vec<u8> },
}

impl Finding {
    fn fine(what: impl Into<String>) -> Finding {
        Finding::Fine(what.into())
    }

    fn missing(
        what: impl Into<String>,
        fix: impl Into<String>,
        blocks: &[u8],
    ) -> Finding {
        Finding::Missing {
            what: what.into(),
            fix: fix.into(),
            blocks: blocks.to_vec(),
        }
    }

    /// Nothing of the book can be followed on this machine.
    fn blocks_everything(&self) -> bool {
        match self {
            Finding::Fine(_) => false,
            Finding::Missing { blocks, .. } => blocks.len() == STAGES.len(),
        }
    }

    fn shown(&self) -> String {
        match self {
            Finding::Fine(what) => format!("ok       {}", wrapped(what, 9)),
            Finding::Missing { what, fix, blocks } => {
                let what = wrapped(what, 9);
                let blocked = stage_list(blocks);
                let indent = " ".repeat(9);
                format!(
                    "missing  {what}\n{indent}fix: {fix}\n{indent}blocks: {blocked}"
                )
            }
        }
    }
}

fn stage_list(numbers: &[u8]) -> String {
    if numbers.is_empty() {
        return "no chapter".to_owned();
    }
    let numbers: Vec<_> = numbers.iter().map(u8::to_string).collect();
    format!("the chapters of stage {}", numbers.join(", "))
}

/// Prints all findings.
///
/// # Errors
/// Something is missing that every chapter needs.
pub(crate) fn doctor() -> Result<()> {
    let mut findings =
        vec![kernel::version()?, privilege::root()?, cgroup::layout()?];
    findings.extend(user_namespace::settings());
    findings.push(kernel::overlay()?);
    findings.extend(PACKAGES.iter().map(package));
    for finding in &findings {
        println!("{}", finding.shown());
    }
    if findings.iter().any(Finding::blocks_everything) {
        bail!("no chapter can be followed on this machine before it is fixed");
    }
    println!("{}", in_all(&findings));
    Ok(())
}

/// What can be followed, in one line.
fn in_all(findings: &[Finding]) -> &'static str {
    let missing = findings.iter().filter_map(|finding| match finding {
        Finding::Fine(_) => None,
        Finding::Missing { blocks, .. } => Some(blocks),
    });
    match missing.map(Vec::len).max() {
        None => "nothing is missing",
        Some(0) => "every chapter of the book can be followed",
        Some(_) => "the chapters of the other stages can be followed",
    }
}

fn package(package: &Package) -> Finding {
    let Package { name, provides, why, .. } = package;
    if is_present(package) {
        return Finding::fine(format!("{provides} (package {name})"));
    }
    Finding::missing(
        format!("{name}: {why}"),
        install_line(&[name]),
        &chapters(package),
    )
}

#[cfg(test)]
mod tests {
    use super::{Finding, in_all};

    #[test]
    fn a_missing_thing_comes_with_its_fix_and_the_chapters_it_blocks() {
        let finding =
            Finding::missing("overlayfs", "sudo modprobe overlay", &[2, 5]);
        let shown = finding.shown();
        let lines: Vec<_> = shown.lines().map(str::trim).collect();
        assert_eq!(lines[0], "missing  overlayfs");
        assert_eq!(lines[1], "fix: sudo modprobe overlay");
        assert_eq!(lines[2], "blocks: the chapters of stage 2, 5");
    }

    #[test]
    fn the_last_line_says_what_of_the_book_can_be_followed() {
        let fine = || Finding::fine("");
        let missing = |blocks| Finding::missing("", "", blocks);
        assert_eq!(in_all(&[fine()]), "nothing is missing");
        let all = in_all(&[fine(), missing(&[])]);
        assert!(all.starts_with("every chapter"), "{all}");
        let some = in_all(&[missing(&[]), missing(&[2, 4]), fine()]);
        assert!(some.contains("the other stages"), "{some}");
    }

    #[test]
    fn only_what_every_chapter_needs_blocks_everything() {
        assert!(Finding::missing("", "", &[1, 2, 3, 4, 5]).blocks_everything());
        assert!(!Finding::missing("", "", &[1, 2, 3, 4]).blocks_everything());
        assert!(!Finding::fine("").blocks_everything());
    }
}
