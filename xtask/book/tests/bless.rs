//! `bless` writes outputs, nothing else, and only of a chapter that went through.

mod fixture;

use fixture::Fixture;

#[test]
fn bless_writes_the_run_into_the_page_and_keeps_the_rest() {
    let before = "text\n\n- item\n\n  ```console\n  $ echo new\n  old\n  older\n  $ sleep 9 &\n  \
        [1] 4242\n  $ kill $!; wait; echo killed $!\n  ```\n\nmore\n";
    let after = "text\n\n- item\n\n  ```console\n  $ echo new\n  new\n  $ sleep 9 &\n  \
        [1] 4242\n  $ kill $!; wait; echo killed $!\n  killed 4242\n  ```\n\nmore\n";
    let fixture = Fixture::new(before);
    let said = fixture.run(&["bless"]);
    assert!(
        said.ok && said.text.contains("2 outputs blessed"),
        "{}",
        said.text
    );
    assert_eq!(fixture.chapter(), format!("# One\n{after}"));
    let said = fixture.run(&["test"]);
    assert!(said.ok, "{}", said.text);
}

#[test]
fn bless_does_not_write_a_page_whose_command_failed() {
    let fixture = Fixture::new("```console\n$ echo new\nold\n$ false\n```\n");
    let before = fixture.chapter();
    assert!(!fixture.run(&["bless"]).ok);
    assert_eq!(fixture.chapter(), before);
}

#[test]
fn bless_refuses_an_output_that_would_look_typed() {
    let fixture = Fixture::new("```console\n$ echo '# title'\n```\n");
    let said = fixture.run(&["bless"]);
    assert!(
        !said.ok && said.text.contains("would look typed"),
        "{}",
        said.text
    );
}
