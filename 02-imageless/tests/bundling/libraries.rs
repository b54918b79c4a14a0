//! `imageless bundle` finds libraries as ld.so(8) does, without running
//! anything.

use crate::maker::{Maker, text};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use testkit::{Need, requires};

const RUNC_AND_CC: [Need; 3] =
    [Need::Root, Need::Program("runc"), Need::Program("cc")];

#[test]
fn the_libraries_are_those_that_ldd_names() {
    if !requires(&[Need::Program("ldd")]) {
        return;
    }
    for program in ["ls", "bash", "perl", "tar", "mount", "ldconfig.real"] {
        let Some(program) = testkit::find_program(program) else { continue };
        let maker = Maker::new();
        let bundle = maker.bundle(&[text(&program)]);
        let found = regular_files(&maker, &bundle.join("rootfs/usr/lib"));
        let program = text(&program);
        let named = maker.output("ldd", &[program]);
        let named = named.lines().filter_map(path_in).collect::<BTreeSet<_>>();
        assert_eq!(found, named, "{program}");
        assert!(!found.is_empty(), "{program} is dynamic");
    }
}

/// The file of a line such as `libc.so.6 => /lib/libc.so.6 (0x7f..)`.
fn path_in(line: &str) -> Option<PathBuf> {
    let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
    Some(fs::canonicalize(path).expect("ldd has found it"))
}

fn regular_files(maker: &Maker, directory: &Path) -> BTreeSet<PathBuf> {
    let tree = maker.tree(directory);
    let files = tree.iter().filter_map(|line| line.split_once(" f "));
    files.map(|(path, _)| Path::new("/usr/lib").join(path)).collect()
}

/// `app/bin/m` needs libf, which needs libg; both lie in `app/lib`.
fn compile(maker: &Maker, link_options: &[&str]) {
    let sources = [
        ("g.c", "const char *g(void) { return \"found\"; }"),
        ("f.c", "const char *g(void); const char *f(void) { return g(); }"),
        (
            "m.c",
            "#include <stdio.h>\nconst char *f(void); int main(void) { return puts(f()) < 0; }",
        ),
    ];
    for (name, source) in sources {
        fs::write(maker.path(name), source).expect("scratch is ours");
    }
    for directory in ["app/bin", "app/lib"] {
        fs::create_dir_all(maker.path(directory)).expect("scratch is ours");
    }
    let library = ["-shared", "-fPIC", "-Lapp/lib"];
    let cc = |words: &[&str]| maker.output("cc", words);
    cc(&[&library[..], &["-o", "app/lib/libg.so", "g.c"]].concat());
    cc(&[&library[..], &["-o", "app/lib/libf.so", "f.c", "-lg"]].concat());
    let program = ["-o", "app/bin/m", "m.c", "-Lapp/lib", "-lf"];
    let search = ["-Wl,-rpath-link,app/lib"];
    cc(&[&program[..], &search, link_options].concat());
}

const RPATH: [&str; 2] =
    ["-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN/../lib"];
const RUNPATH: [&str; 2] =
    ["-Wl,--enable-new-dtags", "-Wl,-rpath,$ORIGIN/../lib"];

#[test]
fn an_rpath_counts_for_the_libraries_of_libraries_too() {
    if !requires(&RUNC_AND_CC) {
        return;
    }
    let maker = Maker::new();
    compile(&maker, &RPATH);
    let bundle = maker.bundle(&["app/bin/m"]);
    maker.prints(&bundle, "found\n");
}

/// As ld.so does; another search path has the library for this machine.
#[test]
fn a_library_for_another_machine_is_passed_over() {
    if !requires(&RUNC_AND_CC) {
        return;
    }
    /// Offset of `e_machine`, and an architecture that nobody has any more.
    const E_MACHINE: usize = 18;
    const EM_M32: u8 = 1;
    let maker = Maker::new();
    let rpath = "-Wl,-rpath,$ORIGIN/../wrong:$ORIGIN/../lib";
    compile(&maker, &["-Wl,--disable-new-dtags", rpath]);
    let mut library =
        fs::read(maker.path("app/lib/libg.so")).expect("cc has made it");
    library[E_MACHINE] = EM_M32;
    fs::create_dir(maker.path("app/wrong")).expect("scratch is ours");
    fs::write(maker.path("app/wrong/libg.so"), library)
        .expect("scratch is ours");
    let bundle = maker.bundle(&["app/bin/m"]);
    assert!(!bundle.join("rootfs/wrong").exists());
    maker.prints(&bundle, "found\n");
}

#[test]
fn two_programs_share_a_library_that_each_finds_by_a_path_of_its_own() {
    if !requires(&RUNC_AND_CC) {
        return;
    }
    let maker = Maker::new();
    compile(&maker, &RPATH);
    fs::create_dir(maker.path("app/other")).expect("scratch is ours");
    fs::copy(maker.path("app/bin/m"), maker.path("app/other/n"))
        .expect("scratch is ours");
    let bundle = maker.bundle(&["app/bin/m", "app/other/n", "--", "/n"]);
    maker.prints(&bundle, "found\n");
}

#[test]
fn the_origin_of_a_program_is_behind_its_links() {
    if !requires(&RUNC_AND_CC) {
        return;
    }
    let maker = Maker::new();
    compile(&maker, &RPATH);
    std::os::unix::fs::symlink("app/bin/m", maker.path("m"))
        .expect("scratch is ours");
    let bundle = maker.bundle(&["./m"]);
    maker.prints(&bundle, "found\n");
}

#[test]
fn a_runpath_does_not_count_for_the_libraries_of_libraries() {
    if !requires(&[Need::Program("cc")]) {
        return;
    }
    let maker = Maker::new();
    compile(&maker, &RUNPATH);
    let start = "imageless: bundle m: ";
    maker.refuses(&["bundle", "app/bin/m"], start, "libf.so needs libg.so");
    assert!(!maker.path("m").exists());
}

/// With a cache of its own in place of the machine's: outside and inside, only
/// the cache knows the directory.
#[test]
fn what_only_the_cache_of_ld_so_knows_is_found_inside_too() {
    if !requires(&RUNC_AND_CC) {
        return;
    }
    let maker = Maker::new();
    compile(&maker, &[]);
    let conf = format!("{}\n", text(&maker.path("app/lib")));
    fs::write(maker.path("ld.so.conf"), conf).expect("scratch is ours");
    let ldconfig = ["-X", "-f", "ld.so.conf", "-C", "ld.so.cache"];
    maker.output("/sbin/ldconfig", &ldconfig);
    let script = format!(
        "mount --bind ld.so.cache /etc/ld.so.cache && {} bundle -o b app/bin/m",
        env!("CARGO_BIN_EXE_imageless"),
    );
    maker.output("unshare", &["--mount", "sh", "-c", &script]);
    maker.prints(&maker.path("b"), "found\n");

    let cache = maker.path("b/rootfs/etc/ld.so.cache");
    let listed = maker.output("/sbin/ldconfig", &["-p", "-C", text(&cache)]);
    assert!(listed.contains("libg.so (libc6"), "{listed}");
    assert!(!listed.contains("libm.so"), "only what is inside: {listed}");
}
