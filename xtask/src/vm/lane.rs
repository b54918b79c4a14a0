//! What the guest runs once it is a machine: a script of the tests, or a shell.

use super::Artifact;
use std::collections::BTreeSet;

/// Test programs that are about a whole Debian, not about the kernel, and why:
/// the guest has none.
const LEFT_OUT: [(&str, &str); 4] = [
    ("bundling", "needs ldd, a compiler and the source tree"),
    ("containerd", "needs containerd and its shim"),
    ("malformed", "is about config.json, thousands of times"),
    ("podman", "needs podman and conmon"),
];

/// Test programs of which the guest runs a part: what it is given to choose by,
/// and why. Emulation makes each system call slow, so what is the same on both
/// versions of cgroups runs outside only.
const IN_PART: [(&str, &str, &str); 4] = [
    (
        "isolate",
        "--skip users:: --skip ways_out::",
        "those are about ids and hints, not about cgroups",
    ),
    ("rootless", "cgroup", "the others are about ids, not about cgroups"),
    (
        "lifecycle",
        "limits:: pause:: update:: watching:: verbs:: run:: exec::",
        "the others are about files, terminals, filters and signals",
    ),
    (
        "attacks",
        "an_init_that_waits",
        "the others are about paths and races, not about cgroups",
    ),
];

/// Seconds that a test program may take.
const LIMIT: u32 = 200;

/// The line that begins a test program's part of the output.
pub(super) const PROGRAM: &str = "== ";

/// Runs every test program, one after another. The exit status is the number of
/// those that failed.
///
/// Of the runtimes only ours: under emulation runc takes seconds to start, and
/// that the suite is right about it is shown outside of the guest.
pub(super) fn tests(built: &[Artifact]) -> String {
    let path = path_with(built);
    let mut script = format!("{path}export CONMAN_RUNTIME=imageless\n");
    // More than the guest has processors: a test mostly waits for a child.
    script.push_str("export RUST_TEST_THREADS=4\nfailed=0\n");
    for test in built.iter().filter(|artifact| artifact.is_test) {
        let left_out = LEFT_OUT.iter().find(|(name, _)| *name == test.target);
        script.push_str(&match left_out {
            Some((name, why)) => format!("echo 'SKIP all of {name}: {why}'\n"),
            None => run(test),
        });
    }
    script + "exit $failed\n"
}

/// Runs one test program, and says it if that fails: one that is killed has no
/// last words.
fn run(test: &Artifact) -> String {
    let program = test.path.display();
    let part = IN_PART.iter().find(|(name, ..)| *name == test.target);
    let (choice, note) = match part {
        Some((name, choice, why)) => {
            (*choice, format!("echo 'SKIP a part of {name}: {why}'\n"))
        }
        None => ("", String::new()),
    };
    format!(
        "{note}echo '{PROGRAM}{program}'\n\
         timeout -s KILL {LIMIT} {program} {choice} || {{\n    \
         echo \"{program}: exit status $?\"; failed=$((failed + 1)); }}\n"
    )
}

/// Runs a shell that finds our programs.
pub(super) fn shell(built: &[Artifact]) -> String {
    let path = path_with(built);
    format!("{path}cd /root; setsid cttyhack sh; exit 0\n")
}

/// The programs are in one directory, the examples in another; cargo names them
/// in the order in which it was done with them.
fn path_with(built: &[Artifact]) -> String {
    let programs = built.iter().filter(|artifact| !artifact.is_test);
    let directories: BTreeSet<_> =
        programs.filter_map(|artifact| artifact.path.parent()).collect();
    directories
        .iter()
        .map(|directory| format!("export PATH=$PATH:{}\n", directory.display()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(path: &str, is_test: bool) -> Artifact {
        let file = path.into();
        Artifact { target: "any".into(), file, path: path.into(), is_test }
    }

    #[test]
    fn a_shell_finds_the_programs_whichever_cargo_names_first() {
        let built = [
            artifact("/target/debug/examples/pidfd", false),
            artifact("/target/debug/imageless", false),
            artifact("/target/debug/deps/lifecycle-1", true),
        ];
        assert_eq!(
            path_with(&built),
            "export PATH=$PATH:/target/debug\n\
             export PATH=$PATH:/target/debug/examples\n"
        );
    }
}
