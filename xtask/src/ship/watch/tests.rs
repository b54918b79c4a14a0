//! A real program is watched. To trace one's own children takes no privilege.

use super::*;
use crate::cargo::repository;
use crate::root::succeed;
use testkit::Scratch;

/// Executes itself once more, in a child; there it is asked for a signal.
const TWICE: &str = r#"
    use std::process::{Command, Stdio, exit, id};

    #[inline(never)]
    fn called_in_the_child() {
        let mut kill = Command::new("kill");
        kill.arg("-USR1").arg(id().to_string()).status().unwrap();
        exit(7);
    }

    #[inline(never)]
    fn called_by_nobody() {
        println!("{}", id());
    }

    fn main() {
        match std::env::args().len() {
            1 => {
                let mut again = Command::new("/proc/self/exe");
                let again = again.arg("again").stdout(Stdio::null()).status();
                println!("{:?}", again.unwrap());
            }
            2 => called_in_the_child(),
            _ => called_by_nobody(),
        }
    }
"#;

/// Compiles a program with its symbols, static, at a fixed address.
fn compiled(scratch: &Scratch, source: &str) -> PathBuf {
    let program = scratch.path().join("program");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "-Copt-level=1", "-Cpanic=abort"]);
    rustc.args(["-Ctarget-feature=+crt-static", "-Crelocation-model=static"]);
    rustc.arg("-o").arg(&program).arg(source).current_dir(repository());
    succeed(&mut rustc).unwrap();
    program
}

fn has(names: &BTreeSet<String>, part: &str) -> bool {
    names.iter().any(|name| name.contains(part))
}

#[test]
fn what_is_called_is_found_and_nothing_else() {
    let scratch = Scratch::new();
    let program = compiled(&scratch, "xtask/bench/true.rs");
    let mut watch = Watch::new(&program).unwrap();
    let all: BTreeSet<_> = watch.functions.addresses().collect();
    let names = watch.run(&Command::new(&program)).unwrap();
    assert!(names.contains("main"), "{names:?}");
    assert!(!names.contains("abort"), "{names:?}");
    assert!(watch.called.is_subset(&all) && watch.called.len() < all.len());
}

#[test]
fn a_child_that_executes_the_program_is_watched_too() {
    let scratch = Scratch::new();
    let source = scratch.path().join("twice.rs");
    std::fs::write(&source, TWICE).unwrap();
    let program = compiled(&scratch, source.to_str().unwrap());
    let mut watch = Watch::new(&program).unwrap();
    let names = watch.run(&Command::new(&program)).unwrap();
    assert!(has(&names, "called_in_the_child"), "{names:?}");
    assert!(!has(&names, "called_by_nobody"), "{names:?}");
}

#[test]
fn a_signal_that_is_none_of_ours_arrives() {
    let scratch = Scratch::new();
    let source = scratch.path().join("twice.rs");
    std::fs::write(&source, TWICE).unwrap();
    let program = compiled(&scratch, source.to_str().unwrap());
    let mut watch = Watch::new(&program).unwrap();
    let failed = watch.run(Command::new(&program).arg("again")).unwrap_err();
    assert!(failed.to_string().contains("SIGUSR1"), "{failed}");
}

#[test]
fn a_command_that_cannot_be_executed_fails() {
    let scratch = Scratch::new();
    let program = compiled(&scratch, "xtask/bench/true.rs");
    let mut watch = Watch::new(&program).unwrap();
    let failed = watch.run(&Command::new("/no/such/file")).unwrap_err();
    assert!(failed.to_string().contains("exit status"), "{failed}");
}
