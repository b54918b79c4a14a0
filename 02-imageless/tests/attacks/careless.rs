//! The same work as a runtime's, done carelessly: by path strings, in a mount
//! namespace that goes with the script, so that the host is never harmed.

use crate::driver::Driver;
use std::process::{Command, Stdio};
use testkit::{Need, requires};

/// Runs a shell script in a mount namespace of its own, with the container's
/// root file system in `$R` and the scratch directory in `$S`; what it prints.
pub(crate) fn careless(driver: &Driver, script: &str) -> String {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", script]);
    unshare.env("R", driver.bundle.rootfs());
    unshare.env("S", driver.scratch.path()).stdin(Stdio::null());
    let output = unshare.output().expect("util-linux is everywhere");
    String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr)
}

/// What the scripts use, besides a shell.
pub(crate) fn tools() -> bool {
    requires(&[Need::Root, Need::Program("unshare"), Need::Program("chroot")])
}
