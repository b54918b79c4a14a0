//! The path above a listing in the rendered book. The page names it, in the directive that
//! quotes; mdBook puts the lines in its place, and a reader could not tell from where.

use crate::lint::includes;
use crate::page::{Block, Page};

/// Puts above each listing the path of the file that it quotes.
pub(crate) fn captioned(text: &str) -> String {
    let mut page = Page::parse(String::new(), text);
    // From the end, so that the lines above keep their numbers.
    for block in page.blocks.iter().rev() {
        if let Some(caption) = caption(block) {
            page.lines.insert(block.line - 1, caption);
        }
    }
    page.lines.join("\n") + "\n"
}

fn caption(block: &Block) -> Option<String> {
    let (_, target) =
        block.lines.iter().find_map(|line| includes::directive(line))?;
    let (file, _) = target.split_once(':').unwrap_or((target, ""));
    let prefix = &block.prefix;
    // A page's way to the repository is the only one that leads upwards.
    let path = file.trim_start_matches("../");
    Some(format!("{prefix}*{path}*\n{}", prefix.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_stands_above_each_listing_and_nothing_else_changes() {
        let page = "# One\n\n```rust\n{{#include ../../a/src/b_c.rs:d}}\n```\n\n\
            > ```sh\n> {{#include ../../a/e.sh}}\n> ```\n\n```text\n\\{{#include x}}\n```\n";
        let wanted = "# One\n\n*a/src/b_c.rs*\n\n```rust\n{{#include ../../a/src/b_c.rs:d}}\n```\n\n\
            > *a/e.sh*\n>\n> ```sh\n> {{#include ../../a/e.sh}}\n> ```\n\n\
            ```text\n\\{{#include x}}\n```\n";
        assert_eq!(captioned(page), wanted);
    }
}
