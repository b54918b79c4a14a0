//! What a listing quotes, put in its place in the rendered book. mdBook would do that, too, but
//! with the indentation that the lines have in their file: half of a method's line would be blank.

use crate::book::Book;
use crate::lint::includes::{expanded, is_quotation};
use crate::page::Page;

/// Fills the listings of a page, whose source is `text`.
pub(crate) fn filled(book: &Book, path: &str, text: &str) -> String {
    let mut page = Page::parse(path.to_owned(), text);
    // From the end, so that the lines above keep their numbers.
    for at in (0..page.blocks.len()).rev() {
        let block = &page.blocks[at];
        if !is_quotation(block) {
            continue;
        }
        let quoted = to_the_left(&expanded(book, &page, block));
        let quoted = quoted.iter().map(|line| block.prefix.clone() + line);
        let quoted: Vec<_> = quoted.collect();
        // The fence is on `block.line`, counted from 1.
        let place = block.line..block.line + block.lines.len();
        page.lines.splice(place, quoted);
    }
    page.lines.join("\n") + "\n"
}

/// Takes away the blanks that all lines begin with.
fn to_the_left(lines: &[String]) -> Vec<String> {
    let full = lines.iter().filter(|line| !line.trim().is_empty());
    let blanks = full.map(|line| line.len() - line.trim_start().len());
    let shared = blanks.min().unwrap_or_default();
    let rest = |line: &String| line.get(shared..).unwrap_or("").to_owned();
    lines.iter().map(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_begins_at_the_left_and_keeps_its_shape() {
        let lines = |text: &str| -> Vec<String> {
            text.lines().map(str::to_owned).collect()
        };
        let method = lines("    fn f() {\n        g()\n\n    }");
        assert_eq!(to_the_left(&method), lines("fn f() {\n    g()\n\n}"));
        let function = lines("fn f() {\n    g()\n}");
        assert_eq!(to_the_left(&function), function);
        assert!(to_the_left(&[]).is_empty());
    }
}
