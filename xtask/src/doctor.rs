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
                let blocked = chapter_list(blocks);
                let indent = " ".repeat(9);
                format!(
                    "missing  {what}\n{indent}fix: {fix}\n{indent}blocks: {blocked}"
                )
            }
        }
    }
}

fn chapter_list(numbers: &[u8]) -> String {
    if numbers.is_empty() {
        return "no chapter".to_owned();
    }
    let numbers: Vec<_> =
        numbers.iter().map(|number| format!("{number:02}")).collect();
    format!("chapter {}", numbers.join(", "))
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
    let missing = findings
        .iter()
        .filter(|f| matches!(f, Finding::Missing { .. }))
        .count();
    if findings.iter().any(Finding::blocks_everything) {
        bail!("no chapter can be followed on this machine before it is fixed");
    }
    println!(
        "{}",
        if missing == 0 {
            "nothing is missing"
        } else {
            "the rest of the book works"
        }
    );
    Ok(())
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
    use super::Finding;

    #[test]
    fn a_missing_thing_comes_with_its_fix_and_the_chapters_it_blocks() {
        let finding =
            Finding::missing("overlayfs", "sudo modprobe overlay", &[2, 5]);
        let shown = finding.shown();
        let lines: Vec<_> = shown.lines().map(str::trim).collect();
        assert_eq!(lines[0], "missing  overlayfs");
        assert_eq!(lines[1], "fix: sudo modprobe overlay");
        assert_eq!(lines[2], "blocks: chapter 02, 05");
    }

    #[test]
    fn only_what_every_chapter_needs_blocks_everything() {
        assert!(Finding::missing("", "", &[1, 2, 3, 4, 5]).blocks_everything());
        assert!(!Finding::missing("", "", &[1, 2, 3, 4]).blocks_everything());
        assert!(!Finding::fine("").blocks_everything());
    }
}
