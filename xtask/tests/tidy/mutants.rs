//! The list of mutants fits the code: each text is there, and each test. That
//! the test fails without the text, `cargo xtask mutants` proves.

#[path = "../../src/mutants/list.rs"]
mod list;

use crate::{check, repository, tree};
use list::{Mutant, parse, share};
use std::fs;
use std::num::NonZeroUsize;

fn listed() -> Vec<Mutant> {
    let list = repository().join("xtask/mutants.txt");
    let list = fs::read_to_string(list).expect("the list is there");
    parse(&list).expect("the list can be read")
}

#[test]
fn the_text_of_each_mutant_is_in_its_file_once() {
    let complaint = |mutant: &Mutant| {
        let source = fs::read_to_string(repository().join(&mutant.file));
        mutant.apply(&source.unwrap_or_default()).err()
    };
    check(&listed().iter().filter_map(complaint).collect::<Vec<_>>());
}

#[test]
fn the_test_that_kills_each_mutant_is_there() {
    let sources = tree::sources(repository());
    let complaint = |Mutant { test, .. }: Mutant| {
        let name = test.name.rsplit("::").next().unwrap_or_default();
        let function = format!("fn {name}() {{");
        let folder = match &*test.program {
            "lib" | "bin" => format!("{}/src/", test.package),
            program => format!("{}/tests/{program}", test.package),
        };
        let mut files =
            sources.iter().filter(|file| file.path.contains(&folder));
        let found = files.any(|file| file.text.contains(&function));
        (!found).then(|| format!("xtask/mutants.txt: no test {test:?}"))
    };
    check(&listed().into_iter().filter_map(complaint).collect::<Vec<_>>());
}

#[test]
fn a_mutant_is_a_file_without_a_text_and_a_test_that_notices() {
    let list = "# comment\n\n[a.rs]\n- b();\n! p t m::n\n- c\n+ d\n! p lib n";
    let mutants = parse(list).expect("a good list");
    assert_eq!(mutants.len(), 2);
    assert_eq!(mutants[0].apply("a(); b(); c();"), Ok("a();  c();".into()));
    assert_eq!(mutants[1].apply("a(); b(); c();"), Ok("a(); b(); d();".into()));
    assert_eq!(mutants[1].test.program, "lib");
    assert!(mutants[0].apply("b(); b();").is_err());
    assert!(mutants[0].apply("").is_err());
}

#[test]
fn a_list_that_is_none_is_refused_with_its_line() {
    for bad in ["x", "[a", "! p t n", "[a]\n- b\n! p t", "[a]\n- b\n! p t n m"]
    {
        let error = parse(bad).expect_err(bad);
        assert!(error.starts_with("line "), "{error}");
    }
}

#[test]
fn all_shares_together_are_the_list_and_none_is_empty() {
    for of in [1, 2, 7, 1000] {
        let count = listed().len();
        let of = NonZeroUsize::new(of).expect("not zero");
        let shares: Vec<_> = (0..of.get().min(count))
            .map(|number| share(listed(), number, of))
            .collect();
        assert!(shares.iter().all(|share| !share.is_empty()));
        assert_eq!(shares.iter().map(Vec::len).sum::<usize>(), count);
    }
}
