//! What is built can be read and searched, without a server and without the sources.

mod fixture;

use fixture::Fixture;

#[test]
fn a_word_of_a_page_is_in_the_index_for_the_search() {
    let fixture = Fixture::new("\nOne does not simply pivot_root.\n");
    let said = fixture.run(&["build"]);
    assert!(said.ok, "{}", said.text);
    let build = fixture.path("book/build");
    let mut files = std::fs::read_dir(build).expect("it was built");
    let index = files.find_map(|file| {
        let path = file.ok()?.path();
        let name = path.file_name()?.to_str()?;
        name.starts_with("searchindex").then_some(path)
    });
    let index = std::fs::read_to_string(index.expect("an index"));
    assert!(index.expect("it is text").contains("pivot_root"));
}

#[test]
fn a_listing_says_its_file_and_begins_at_the_left() {
    let page = "\n```rust\n{{#include ../../code/a.rs:f}}\n```\n";
    let fixture = Fixture::new(page);
    let code = "impl A {\n    // ANCHOR: f\n    fn f() {\n        g()\n    }\n    \
                // ANCHOR_END: f\n}\n";
    fixture.write("code/a.rs", code);
    let said = fixture.run(&["build"]);
    assert!(said.ok, "{}", said.text);
    let html = fixture.read("book/build/one.html");
    assert!(html.contains("<em>code/a.rs</em>"), "{html}");
    assert!(html.contains("fn f() {\n    g()\n}"), "{html}");
    assert!(!html.contains(" fn f() {"), "{html}");
}
