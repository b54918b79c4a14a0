//! A disk for one test: a file that the kernel shows as a block device.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::Scratch;

/// A loop device over a file of a scratch directory; let go on drop.
///
/// Source: loop(4)
#[derive(Debug)]
pub struct LoopDevice {
    path: PathBuf,
}

impl LoopDevice {
    /// Makes a disk of so many bytes, all of them zero and all of them there.
    ///
    /// # Panics
    /// Without loop devices: ask for `Need::LoopDevices` before.
    pub fn new(scratch: &Scratch, bytes: usize) -> LoopDevice {
        let file = scratch.path().join("disk");
        fs::write(&file, vec![0; bytes]).expect("the scratch is ours");
        losetup(&[Path::new("-f"), &file]);
        // util-linux and busybox print this each in their own way; the path of
        // the file is in both.
        let all = losetup(&[Path::new("-a")]).stdout;
        let all = String::from_utf8_lossy(&all);
        let mut lines = all.lines();
        let tag = file.to_string_lossy();
        let line = lines.find(|line| line.contains(&*tag));
        let line = line.expect("losetup has set it up");
        let (path, _) = line.split_once(':').expect("DEVICE: ..");
        LoopDevice { path: path.into() }
    }

    /// Returns its path in /dev.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its number, major and minor.
    pub fn number(&self) -> (u64, u64) {
        let file = fs::metadata(&self.path).expect("we have just made it");
        let device = file.rdev();
        (nix::sys::stat::major(device), nix::sys::stat::minor(device))
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // A failure leaves the device, and the test's own word has been said.
        let _ = Command::new("losetup").arg("-d").arg(&self.path).status();
    }
}

fn losetup(args: &[&Path]) -> Output {
    let output = Command::new("losetup").args(args).output();
    let output = output.expect("the test requires Need::LoopDevices first");
    assert!(output.status.success(), "losetup {args:?}: {output:?}");
    output
}
