//! The lint's rule on exercises, broken by a fixture: pages and exercises name each other.

mod fixture;

use fixture::Fixture;

fn fails_with(fixture: &Fixture, words: &str) {
    let said = fixture.run(&["lint"]);
    assert!(!said.ok && said.text.contains(words), "{}", said.text);
}

#[test]
fn an_exercise_that_does_not_exist_is_found_on_its_page() {
    let page = Fixture::new("\n`cargo xtask exercise start 01.9`\n");
    fails_with(&page, "book/src/one.md:3: there is no exercise 01.9");
}

#[test]
fn an_exercise_that_its_chapter_does_not_name_is_found() {
    let fixture = Fixture::new("\nNothing to do.\n");
    let file = "01-x/examples/a/exercise.md";
    fixture.write(file, "---\nid: 01.1\nchapter: one\n---\n");
    fails_with(&fixture, "exercise.md:1: one does not name exercise 01.1");
    let named = "\n`cargo xtask exercise start 01.1`\n";
    fixture.write("book/src/one.md", &(fixture.chapter() + named));
    let said = fixture.run(&["lint"]);
    assert!(said.ok, "{}", said.text);
}
