//! What stands above a block in the rendered book: of a listing the path that it quotes, of a
//! console the terminal, where the page goes to another one. The source says both in the
//! block's first lines; mdBook shows neither, and who types along would type into the wrong one.

use crate::lint::includes;
use crate::page::{Block, Page};

/// Puts the captions above the blocks that need one.
pub(crate) fn captioned(text: &str) -> String {
    let mut page = Page::parse(String::new(), text);
    let terminals = terminals(&page.blocks);
    // From the end, so that the lines above keep their numbers.
    for (block, terminal) in page.blocks.iter().zip(terminals).rev() {
        if let Some(caption) = path(block).or(terminal) {
            let prefix = &block.prefix;
            let lines = format!("{prefix}*{caption}*\n{}", prefix.trim_end());
            page.lines.insert(block.line - 1, lines);
        }
    }
    page.lines.join("\n") + "\n"
}

/// The file that a listing quotes.
fn path(block: &Block) -> Option<String> {
    let (_, target) =
        block.lines.iter().find_map(|line| includes::directive(line))?;
    let (file, _) = target.split_once(':').unwrap_or((target, ""));
    // A page's way to the repository is the only one that leads upwards.
    Some(file.trim_start_matches("../").to_owned())
}

/// For each block the terminal, if it is another than the first, or the first
/// again.
fn terminals(blocks: &[Block]) -> Vec<Option<String>> {
    let mut at = "1";
    let change = blocks.iter().map(|block| {
        if block.info.language != "console" {
            return None;
        }
        let last = at;
        at = block.info.attribute("term").unwrap_or("1");
        (at != "1" || at != last).then(|| format!("terminal {at}"))
    });
    change.collect()
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

    #[test]
    fn a_console_says_its_terminal_unless_there_has_been_only_one() {
        let one = "```console\n# ls\n```\n";
        let two = "```console term=2 running\n# ls\n```\n";
        assert_eq!(captioned(&format!("{one}{one}")), format!("{one}{one}"));
        assert_eq!(
            captioned(&format!("{one}\n{two}\n{two}\n- x\n\n{one}")),
            format!(
                "{one}\n*terminal 2*\n\n{two}\n*terminal 2*\n\n{two}\n- x\n\n\
                 *terminal 1*\n\n{one}"
            )
        );
    }
}
