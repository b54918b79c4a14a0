//! Makes bundles with the `imageless` under test, and runs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use testkit::{RuntimeUnderTest, Scratch};

/// `imageless` in a working directory of its own.
pub(crate) struct Maker {
    pub(crate) scratch: Scratch,
}

impl Maker {
    pub(crate) fn new() -> Self {
        Self { scratch: Scratch::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Runs `imageless`, whatever comes of it.
    pub(crate) fn imageless(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_imageless"))
            .args(args)
            .current_dir(self.scratch.path())
            .output()
            .expect("cargo has built it")
    }

    /// Makes the bundle `b` and gives its path.
    pub(crate) fn bundle(&self, args: &[&str]) -> PathBuf {
        let output = self.imageless(&[&["bundle", "-o", "b"], args].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        self.path("b")
    }

    /// Expects an error that begins with `start` and contains `part`.
    pub(crate) fn refuses(&self, args: &[&str], start: &str, part: &str) {
        let output = self.imageless(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {errors}");
        let is_right = errors.starts_with(start) && errors.contains(part);
        assert!(is_right, "{args:?}: expected {start} .. {part}, not {errors}");
    }

    /// Runs a program that has to succeed and gives what it prints.
    pub(crate) fn output(&self, program: &str, args: &[&str]) -> String {
        let output = Command::new(program)
            .args(args)
            .current_dir(self.scratch.path())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {args:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a bundle in the foreground and gives what it prints.
    pub(crate) fn run(
        &self,
        runtime: &RuntimeUnderTest,
        bundle: &Path,
    ) -> String {
        let program = runtime.program.to_str().expect("a UTF-8 path");
        let root = self.scratch.state_root();
        let words = ["--root", text(&root), "run", "--bundle", text(bundle)];
        let id = self.scratch.id(&runtime.name);
        self.output(program, &[&words[..], &[&id]].concat())
    }

    /// Expects the same output from every runtime.
    pub(crate) fn prints(&self, bundle: &Path, expected: &str) {
        for runtime in testkit::runtimes() {
            let printed = self.run(&runtime, bundle);
            assert_eq!(printed, expected, "on {}", runtime.name);
        }
    }

    /// Everything below a directory, as paths from there, sorted.
    pub(crate) fn tree(&self, directory: &Path) -> Vec<String> {
        let listing =
            self.output("find", &[text(directory), "-printf", "%P %y %m\n"]);
        let mut lines: Vec<_> = listing.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}
