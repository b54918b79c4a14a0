//! Tests of the package table and of the tests that it makes on a machine.

use super::{
    PACKAGES, Package, chapters, file_matches, install_line, is_present,
    lists_are_stale,
};
use std::path::Path;

const ABSENT: Package = Package {
    name: "x",
    provides: "no-such-program",
    why: "",
    needed_by: &[super::Need::Stage(3)],
};

#[test]
fn every_row_says_what_why_and_for_whom() {
    for package in PACKAGES {
        assert!(
            !package.provides.is_empty() && !package.why.is_empty(),
            "{}",
            package.name
        );
        assert!(
            !package.needed_by.is_empty(),
            "{}: nobody needs it",
            package.name
        );
    }
}

#[test]
fn a_program_that_is_not_on_path_is_missing() {
    assert!(!is_present(&ABSENT));
    assert!(is_present(&Package { provides: "sh", ..ABSENT }));
    assert!(!is_present(&Package { provides: "/no/such/*/libc.a", ..ABSENT }));
}

#[test]
fn a_star_in_a_pattern_stands_for_one_folder() {
    let this_folder = env!("CARGO_MANIFEST_DIR");
    assert!(file_matches(&format!("{this_folder}/*/main.rs")), "src/main.rs");
    assert!(!file_matches(&format!("{this_folder}/*/no-such-file")));
    assert!(
        file_matches(&format!("{this_folder}/Cargo.toml")),
        "no star at all"
    );
}

#[test]
fn a_machine_without_package_lists_needs_an_update() {
    assert!(lists_are_stale(Path::new("/no/such/folder")));
}

#[test]
fn lists_written_today_need_no_update() {
    let lists = std::env::temp_dir()
        .join(format!("xtask-lists-{}", std::process::id()));
    std::fs::create_dir(&lists).unwrap();
    assert!(lists_are_stale(&lists), "an empty folder holds no list");
    std::fs::write(
        lists.join("deb.debian.org_debian_dists_x_main_binary-amd64_Packages"),
        "",
    )
    .unwrap();
    let stale = lists_are_stale(&lists);
    std::fs::remove_dir_all(&lists).unwrap();
    assert!(!stale);
}

#[test]
fn the_install_line_can_be_typed() {
    let line = install_line(&["runc", "crun"]);
    assert_eq!(line, "sudo apt-get install --no-install-recommends runc crun");
}

#[test]
fn a_package_names_the_chapters_it_blocks() {
    assert_eq!(chapters(&ABSENT), [3]);
}
