//! What is built can be read and searched without a server.

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
