//! Writes what was shown into the page: only outputs, never a command.

use crate::page::{Block, Page};
use crate::transcript::looks_typed;
use anyhow::{Context, Result};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// New lines for an output.
pub(crate) struct Edit {
    /// The lines of the page to replace, counted from 0.
    old: Range<usize>,
    new: Vec<String>,
}

impl Edit {
    /// Replaces the lines `range` of a block.
    ///
    /// # Errors
    /// A line that the page would show as typed, not as output.
    pub(crate) fn new(
        block: &Block,
        range: Range<usize>,
        lines: &[String],
    ) -> Result<Edit, String> {
        let continues = lines.first().filter(|first| first.starts_with('>'));
        if let Some(line) =
            continues.or(lines.iter().find(|line| looks_typed(line)))
        {
            return Err(format!(
                "on a page this output would look typed: {line:?}"
            ));
        }
        let indented = |line: &String| {
            format!("{}{line}", block.prefix).trim_end().to_owned()
        };
        let old = block.line + range.start..block.line + range.end;
        Ok(Edit { old, new: lines.iter().map(indented).collect() })
    }
}

/// Writes the edits of a page; in place, so that the file stays its owner's.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(file: &Path, page: &Page, edits: Vec<Edit>) -> Result<()> {
    let mut lines = page.lines.clone();
    for edit in edits.into_iter().rev() {
        lines.splice(edit.old, edit.new);
    }
    fs::write(file, lines.join("\n") + "\n")
        .with_context(|| format!("{}", file.display()))
}
