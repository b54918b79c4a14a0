//! The programs that tests run: those of this workspace, and the runtimes that
//! a suite must pass on.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::Scratch;

/// An OCI runtime that a suite runs against.
#[derive(Debug, Clone)]
pub struct RuntimeUnderTest {
    /// Its name, for messages.
    pub name: String,
    /// Its program, absolute.
    pub program: PathBuf,
}

/// Returns the runtimes that every suite of the runtime layer must pass on: the
/// reference runc first, then ours.
///
/// `CONMAN_RUNTIME=PROGRAM` in the environment puts any other one in their
/// place, to see what the suite says about it.
///
/// # Panics
/// If one is missing. The test has to ask for `Need::Program("runc")` before.
pub fn runtimes() -> Vec<RuntimeUnderTest> {
    if let Ok(name) = std::env::var("CONMAN_RUNTIME") {
        let program = find_program(&name).expect("CONMAN_RUNTIME is a program");
        return vec![RuntimeUnderTest { name, program }];
    }
    let runc = find_program("runc");
    let runc = runc.expect("the test requires Need::Program(\"runc\") first");
    vec![
        RuntimeUnderTest { name: "runc".to_owned(), program: runc },
        RuntimeUnderTest {
            name: "imageless".to_owned(),
            program: bin("imageless"),
        },
    ]
}

/// Returns crun, in a form that runs here.
///
/// crun refuses a hybrid layout (v1 controllers with cgroup v2 mounted beside
/// them), so there it gets a private mount namespace without the v2 mount: by a
/// script in `scratch`, which must outlive the use.
///
/// # Panics
/// If crun is missing. The test has to ask for `Need::Program("crun")` before.
pub fn crun(scratch: &Scratch) -> RuntimeUnderTest {
    let crun = find_program("crun")
        .expect("the test requires Need::Program(\"crun\") first");
    let name = "crun".to_owned();
    if !Path::new("/sys/fs/cgroup/unified").exists() {
        return RuntimeUnderTest { name, program: crun };
    }
    let script = format!(
        "#!/bin/sh\nexec unshare --mount sh -c \
         'umount /sys/fs/cgroup/unified && exec {} \"$@\"' crun \"$@\"\n",
        crun.display()
    );
    let program = scratch.path().join("hybrid-crun");
    fs::write(&program, script).expect("the scratch directory is ours");
    fs::set_permissions(&program, Permissions::from_mode(0o755))
        .expect("the script is ours");
    RuntimeUnderTest { name, program }
}

/// Returns the path of a binary of this workspace, built with the same profile
/// as the running test.
///
/// Cargo itself tells a test only the binaries of its own package
/// (`CARGO_BIN_EXE_NAME`).
///
/// # Panics
/// If the binary has not been built.
pub fn bin(name: &str) -> PathBuf {
    built(name, "cargo build --workspace")
}

/// Returns the path of an example of this workspace. `cargo test` builds those
/// of the package under test.
///
/// # Panics
/// If the example has not been built.
pub fn example(name: &str) -> PathBuf {
    built(&format!("examples/{name}"), "cargo build --workspace --examples")
}

/// Looks a program up as execvp(3) does; a name with a slash stands for itself.
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

fn built(name: &str, hint: &str) -> PathBuf {
    // target/PROFILE/deps/NAME-HASH: the profile's directory is two levels up.
    let test = std::env::current_exe().expect("/proc/self/exe is readable");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("cargo runs tests from target/PROFILE/deps");
    let path = profile.join(name);
    assert!(path.is_file(), "{} is missing\nhint: {hint}", path.display());
    path
}
