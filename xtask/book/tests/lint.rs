//! Each rule of the lint, broken by a fixture of its own; and a book that breaks none.

mod fixture;

use fixture::Fixture;

const SOURCE: &str = "01-x/src/lib.rs";

/// A book that quotes one region of one source, and keeps every rule.
fn good() -> Fixture {
    let page = "```rust\n{{#include ../../01-x/src/lib.rs:spawn}}\n```\n\n## The end\n\n\
        See [the end](#the-end) and `x::inner::leave`, `x::spawn()`, `std::fs::read`.\n";
    let fixture = Fixture::new(page);
    fixture.write("01-x/Cargo.toml", "[package]\nname = \"x\"\n");
    fixture.write(SOURCE, "mod inner;\n// ANCHOR: spawn\npub fn spawn() {}\n// ANCHOR_END: spawn\n");
    fixture.write("01-x/src/inner.rs", "pub fn leave() {}\n");
    fixture
}

fn fails_with(fixture: &Fixture, words: &str) {
    let said = fixture.run(&["lint"]);
    assert!(
        !said.ok && said.text.contains(words),
        "wanted {words:?}:\n{}",
        said.text
    );
}

/// A page with this text below its title, at line 2 and on.
fn page_fails_with(page: &str, words: &str) {
    let fixture = good();
    let text = format!("{}\n{page}", fixture.chapter());
    let first = fixture.chapter().lines().count() + 2;
    fixture.write("book/src/one.md", &text);
    fails_with(&fixture, words);
    fails_with(&fixture, &format!("book/src/one.md:{first}: "));
}

fn source_fails_with(source: &str, words: &str) {
    let fixture = good();
    fails_with(fixture.write(SOURCE, source), words);
}

#[test]
fn a_book_that_keeps_every_rule_passes_and_is_counted() {
    let said = good().run(&["lint"]);
    assert!(said.ok, "{}", said.text);
    assert!(
        said.text.contains("1 chapters, 1 listings quoted, 0 sketches"),
        "{}",
        said.text
    );
}

#[test]
fn a_listing_of_a_file_that_does_not_exist() {
    let fixture = good();
    let page = "```rust\n{{#include ../../01-x/src/no.rs:a}}\n```\n";
    fixture.write("book/src/one.md", &(fixture.chapter() + page));
    fails_with(
        &fixture,
        "book/src/one.md:10: ../../01-x/src/no.rs: no such file",
    );
}

#[test]
fn a_listing_of_a_region_that_does_not_exist() {
    let page = "```rust\n{{#include ../../01-x/src/lib.rs:no}}\n```\n";
    let fixture = good();
    fixture.write("book/src/one.md", &(fixture.chapter() + page));
    fails_with(&fixture, "has no region ANCHOR: no");
}

#[test]
fn a_listing_by_line_number() {
    let fixture = good();
    for lines in ["3", "1:3", ":3"] {
        let page = format!(
            "```rust\n{{{{#include ../../01-x/src/lib.rs:{lines}}}}}\n```\n"
        );
        fixture.write("book/src/one.md", &(good().chapter() + &page));
        fails_with(&fixture, "is quoted by line number");
    }
}

#[test]
fn a_directive_that_hides_lines_from_the_reader() {
    let page =
        "```rust\n{{#rustdoc_include ../../01-x/src/lib.rs:spawn}}\n```\n";
    let fixture = good();
    fixture.write("book/src/one.md", &(fixture.chapter() + page));
    fails_with(&fixture, "{{#rustdoc_include ..}} is not used in this book");
}

#[test]
fn a_directive_outside_a_fence() {
    page_fails_with(
        "{{#include ../../01-x/src/lib.rs}}\n",
        "a directive outside a fence",
    );
}

#[test]
fn an_anchor_that_is_never_closed() {
    source_fails_with(
        "// ANCHOR: spawn\npub fn spawn() {}\n",
        "ANCHOR: spawn is never closed",
    );
}

#[test]
fn an_anchor_that_ends_without_a_beginning() {
    source_fails_with(
        "// ANCHOR_END: spawn\npub fn spawn() {}\n",
        "spawn ends nothing",
    );
}

#[test]
fn an_anchor_that_holds_nothing() {
    let source =
        "// ANCHOR: spawn\n\n// ANCHOR_END: spawn\npub fn spawn() {}\n";
    source_fails_with(source, "ANCHOR: spawn holds nothing");
    source_fails_with(source, "quotes nothing");
}

#[test]
fn two_anchors_of_one_name_in_a_file() {
    let region = "// ANCHOR: spawn\npub fn spawn() {}\n// ANCHOR_END: spawn\n";
    source_fails_with(
        &format!("{region}{region}"),
        "ANCHOR: spawn is not the only one",
    );
}

#[test]
fn an_anchor_that_no_page_quotes() {
    let fixture = good();
    let source = "// ANCHOR: lost\npub fn leave() {}\n// ANCHOR_END: lost\n";
    fixture.write("01-x/src/inner.rs", source);
    fails_with(
        &fixture,
        "01-x/src/inner.rs:1: ANCHOR: lost is not quoted by any page",
    );
}

#[test]
fn rust_that_is_neither_quoted_nor_a_sketch() {
    page_fails_with(
        "```rust\nfn f() {}\n```\n",
        "Rust that no compiler has seen",
    );
}

#[test]
fn a_sketch_is_allowed_and_counted() {
    let fixture = good();
    fixture.write(
        "book/src/one.md",
        &(fixture.chapter() + "```rust,sketch\nfn f() {}\n```\n"),
    );
    let said = fixture.run(&["lint"]);
    assert!(said.ok && said.text.contains("1 sketches"), "{}", said.text);
}

#[test]
fn a_code_block_without_a_language() {
    page_fails_with("```\ntext\n```\n", "a code block without a language");
    page_fails_with("    indented\n", "a code block without a language");
}

#[test]
fn a_listing_that_is_too_long_after_quoting() {
    let fixture = good();
    let body = "// x\n".repeat(31);
    fixture.write(SOURCE, &format!("mod inner;\nfn spawn() {{}}\n// ANCHOR: spawn\n{body}// ANCHOR_END: spawn\n"));
    fails_with(&fixture, "book/src/one.md:2: a listing of 31 lines");
}

#[test]
fn a_listing_that_is_too_wide() {
    page_fails_with(
        &format!("```text\n{}\n```\n", "x".repeat(81)),
        "81 columns in a listing",
    );
}

#[test]
fn a_message_in_a_console_block_may_be_wider_but_not_endless() {
    let fixture = good();
    let shown = |columns: usize| {
        let page = format!("```console\n$ x\n{}\n```\n", "x".repeat(columns));
        fixture.write("book/src/one.md", &(good().chapter() + &page));
        fixture.run(&["lint"])
    };
    assert!(shown(120).ok);
    assert!(shown(121).text.contains("121 columns in a listing"));
}

#[test]
fn a_link_to_a_heading_that_does_not_exist() {
    page_fails_with("[a](#nowhere)\n", "no heading or id \"nowhere\"");
}

#[test]
fn a_link_to_a_page_that_does_not_exist() {
    page_fails_with("[a](two.md)\n", "link to two.html: no such page");
}

#[test]
fn an_image_that_would_be_fetched() {
    page_fails_with(
        "![a](https://example.org/a.png)\n",
        "fetched from a network",
    );
}

#[test]
fn a_name_in_prose_that_is_no_item_of_the_sources() {
    page_fails_with("`x::inner::gone`\n", "no such item in crate x");
    page_fails_with("`x::gone()`\n", "no such item in crate x");
    page_fails_with("`gone::spawn`\n", "no crate gone");
}

#[test]
fn a_chapter_that_summary_does_not_name() {
    let fixture = good();
    fails_with(
        fixture.write("book/src/two.md", "# Two\n"),
        "two.md is not in it",
    );
}

#[test]
fn a_chapter_that_nobody_wrote_is_an_error_and_is_not_created() {
    let fixture = good();
    fixture.write(
        "book/src/SUMMARY.md",
        "# Summary\n\n- [One](one.md)\n- [Two](two.md)\n",
    );
    fails_with(&fixture, "two.md");
    fails_with(&fixture, "two.md");
}

#[test]
fn a_book_that_would_create_missing_chapters() {
    let fixture = good();
    fixture.write("book/book.toml", "[book]\ntitle = \"One\"\n");
    fails_with(&fixture, "create-missing is not false");
}

#[test]
fn a_console_block_that_cannot_be_read() {
    page_fails_with(
        "```console statsu=1\n$ false\n```\n",
        "unknown attribute \"statsu\"",
    );
    page_fails_with("```console\nonly output\n```\n", "without a command");
}

#[test]
fn a_console_block_that_nobody_runs() {
    let fixture = good();
    let page = "```console norun=\"reboots\"\n$ reboot\n```\n";
    fixture.write("book/src/one.md", &(fixture.chapter() + page));
    fails_with(&fixture, "1 console blocks are tagged norun, the limit is 0");
}

#[test]
fn a_build_with_an_empty_listing_fails() {
    let fixture = good();
    assert!(fixture.run(&["build"]).ok);
    fixture.write(SOURCE, "pub fn spawn() {}\n");
    let said = fixture.run(&["build"]);
    assert!(!said.ok && said.text.contains("has no region"), "{}", said.text);
}

#[test]
fn a_listing_in_the_built_book_bears_the_path_of_its_file() {
    let fixture = good();
    assert!(fixture.run(&["build"]).ok);
    let page = fixture.read("book/build/one.html");
    let caption = page.find("<p><em>01-x/src/lib.rs</em></p>").expect(&page);
    assert!(page[caption..].contains("spawn"), "{page}");
}
