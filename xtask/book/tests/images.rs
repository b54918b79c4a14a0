//! The rules of the lint for images, each broken by a fixture of its own.

mod fixture;

use fixture::Fixture;

/// A drawing that keeps every rule.
const DRAWING: &str = "<svg viewBox=\"0 0 9 9\"><title>A box</title>\
    <rect width=\"9\" height=\"9\" fill=\"#fff\"/></svg>\n";

/// A book with this drawing, and a page that shows it so.
fn book(markdown: &str, drawing: &str) -> Fixture {
    let fixture = Fixture::new(&format!("\n{markdown}\n"));
    fixture.write("book/src/img/a.svg", drawing);
    fixture
}

fn fails_with(markdown: &str, drawing: &str, words: &str) {
    let said = book(markdown, drawing).run(&["lint"]);
    assert!(!said.ok && said.text.contains(words), "{}", said.text);
}

#[test]
fn a_drawing_that_is_described_passes() {
    let said = book("![a box](img/a.svg)", DRAWING).run(&["lint"]);
    assert!(said.ok, "{}", said.text);
}

#[test]
fn a_drawing_without_title_size_or_background() {
    for (part, words) in [
        ("A box", "no <title>"),
        (" viewBox", "no viewBox"),
        (" fill=\"#fff\"", "no background"),
    ] {
        let place = format!("book/src/img/a.svg:1: {words}");
        fails_with("![a box](img/a.svg)", &DRAWING.replace(part, ""), &place);
    }
}

#[test]
fn an_image_that_does_not_exist() {
    let page = "![a box](img/a.svg) ![a](img/no.svg)";
    fails_with(page, DRAWING, "one.md:3: link to img/no.svg: no such page");
}

#[test]
fn an_image_without_a_description() {
    let words = "one.md:3: image img/a.svg without a description";
    fails_with("![](img/a.svg)", DRAWING, words);
}

#[test]
fn a_drawing_that_no_page_shows() {
    fails_with("Text.", DRAWING, "book/src/img/a.svg:1: shown by no page");
}
