//! A page as its author sees it: Markdown source, fenced blocks, and on which line each stands.
//!
//! mdBook's own reader forgets the line numbers, and without them a finding is a riddle.

use crate::finding::Finding;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};
use std::ops::Range;

/// One chapter's Markdown source.
#[derive(Debug)]
pub(crate) struct Page {
    /// Relative to the repository: `book/src/01-namespaces.md`.
    pub(crate) path: String,
    pub(crate) lines: Vec<String>,
    pub(crate) blocks: Vec<Block>,
    /// The code spans in prose, each with its line.
    pub(crate) spans: Vec<(usize, String)>,
    pub(crate) images: Vec<Image>,
}

/// An image of a page: `![alt](target)`.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) line: usize,
    /// As written: relative to the page.
    pub(crate) target: String,
    /// What stands for it where it cannot be seen.
    pub(crate) alt: String,
}

/// A code block of a page.
#[derive(Debug)]
pub(crate) struct Block {
    /// Line of the opening fence, counted from 1.
    pub(crate) line: usize,
    pub(crate) info: Info,
    /// What precedes the fence on each line: indentation in a list, `> ` in a quotation.
    pub(crate) prefix: String,
    /// What is between the fences, without `prefix`; its first line is `line + 1`.
    pub(crate) lines: Vec<String>,
}

/// What follows the opening fence: a language, flags, and attributes with values.
#[derive(Debug, Default)]
pub(crate) struct Info {
    pub(crate) language: String,
    pub(crate) flags: Vec<String>,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Page {
    /// Reads Markdown into blocks and code spans.
    pub(crate) fn parse(path: String, text: &str) -> Page {
        let mut page = Page {
            path,
            lines: text.lines().map(str::to_owned).collect(),
            blocks: Vec::new(),
            spans: Vec::new(),
            images: Vec::new(),
        };
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_GFM
            | Options::ENABLE_FOOTNOTES;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter()
        {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let block = page.block(text, &kind, range);
                    page.blocks.push(block);
                }
                Event::Start(Tag::Image { dest_url, .. }) => {
                    let source = &text[range.clone()];
                    let alt = source.rfind("](").unwrap_or(source.len());
                    page.images.push(Image {
                        line: line_of(text, range.start),
                        target: dest_url.into(),
                        alt: source[..alt].trim_start_matches("![").into(),
                    });
                }
                Event::Code(span) => {
                    page.spans.push((line_of(text, range.start), span.into()))
                }
                _ => {}
            }
        }
        page
    }

    /// The file name without `.md`: how the command line names a chapter.
    pub(crate) fn name(&self) -> &str {
        self.path
            .rsplit('/')
            .next()
            .unwrap_or(&self.path)
            .trim_end_matches(".md")
    }

    /// Makes a finding at a line of this page.
    pub(crate) fn finding(
        &self,
        line: usize,
        what: String,
        hint: &'static str,
    ) -> Finding {
        Finding { place: format!("{}:{line}", self.path), what, hint }
    }

    /// The lines outside code blocks, with their numbers.
    pub(crate) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let fenced = |line: usize| {
            self.blocks
                .iter()
                .any(|b| (b.line..=b.line + b.lines.len() + 1).contains(&line))
        };
        let numbered = self
            .lines
            .iter()
            .enumerate()
            .map(|(i, text)| (i + 1, text.as_str()));
        numbered.filter(move |(line, _)| !fenced(*line))
    }

    fn block(
        &self,
        text: &str,
        kind: &CodeBlockKind<'_>,
        range: Range<usize>,
    ) -> Block {
        let line = line_of(text, range.start);
        let start =
            text[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let prefix = text[start..range.start].to_owned();
        let last = line_of(text, range.end.saturating_sub(1).max(range.start));
        let (info, body) = match kind {
            CodeBlockKind::Fenced(info) => (Info::parse(info), line..last - 1),
            CodeBlockKind::Indented => (Info::default(), line - 1..last),
        };
        let body = self.lines.get(body).unwrap_or_default();
        let lines = body
            .iter()
            .map(|l| without_prefix(l, &prefix).to_owned())
            .collect();
        Block { line, info, prefix, lines }
    }
}

impl Info {
    /// Reads `console term=2 may-differ="why so"`; commas separate as spaces do.
    pub(crate) fn parse(info: &str) -> Info {
        let mut words = split_quoted(info).into_iter();
        let mut parsed = Info {
            language: words.next().unwrap_or_default(),
            ..Info::default()
        };
        for word in words {
            match word.split_once('=') {
                Some((name, value)) => {
                    parsed.attributes.push((name.into(), value.into()))
                }
                None => parsed.flags.push(word),
            }
        }
        parsed
    }

    /// Tells whether the flag is given.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }

    /// The value of `name=value`, if given.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Splits at spaces and commas outside double quotes, and drops the quotes.
fn split_quoted(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' | ',' if !quoted => words.push(String::new()),
            _ => words.last_mut().expect("starts with one").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

fn without_prefix<'a>(line: &'a str, prefix: &str) -> &'a str {
    line.strip_prefix(prefix)
        .or_else(|| line.strip_prefix(prefix.trim_end()))
        .unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_knows_its_line_and_what_stands_before_its_fence() {
        let page = Page::parse(
            "p.md".into(),
            "a\n\n- item\n\n  ```console x\n  $ ls\n  ```\n",
        );
        let block = &page.blocks[0];
        assert_eq!((block.line, block.prefix.as_str()), (5, "  "));
        assert_eq!(block.lines, ["$ ls"]);
    }

    #[test]
    fn an_attribute_may_hold_spaces_and_commas_within_quotes() {
        let info =
            Info::parse(r#"console term=2,norun="two hosts, no less" running"#);
        assert_eq!(info.language, "console");
        assert_eq!(info.attribute("norun"), Some("two hosts, no less"));
        assert_eq!(info.attribute("term"), Some("2"));
        assert!(info.has("running"));
    }

    #[test]
    fn prose_is_what_no_fence_encloses() {
        let page = Page::parse(
            "p.md".into(),
            "one\n```text\ntwo\n```\nthree `a::b`\n",
        );
        assert_eq!(
            page.prose().collect::<Vec<_>>(),
            [(1, "one"), (5, "three `a::b`")]
        );
        assert_eq!(page.spans, [(5, "a::b".to_owned())]);
    }
}
