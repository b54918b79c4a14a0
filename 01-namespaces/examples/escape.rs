//! Tries the classic way out of a chroot(2), then the same after pivot_root(2).
//! Run: `sudo target/debug/examples/escape`

use anyhow::Result;
use namespaces::namespace::Namespace;
use namespaces::process::{SpawnOptions, spawn};
use namespaces::rootfs::{bind_root, make_private, pivot};
use nix::unistd::{chdir, chroot};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

fn main() -> Result<()> {
    let namespaces = [Namespace::Mount].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let jail =
        std::env::temp_dir().join(format!("jail-{}", std::process::id()));
    fs::create_dir_all(jail.join("hole"))?;
    let host = fs::metadata("/")?.ino();
    for name in ["chroot", "pivot_root"] {
        spawn(&options, || {
            println!("{name}: {}", outcome(try_out(name, &jail, host)));
            0
        })?
        .wait()?;
    }
    Ok(fs::remove_dir_all(jail)?)
}

fn outcome(escaped: Result<bool>) -> String {
    match escaped {
        Ok(true) => "escaped".into(),
        Ok(false) => "still inside".into(),
        Err(error) => format!("{error:#}"),
    }
}

fn try_out(name: &str, jail: &Path, host: u64) -> Result<bool> {
    make_private()?;
    let root = bind_root(jail)?;
    if name == "chroot" {
        chdir(jail)?;
        chroot(".")?
    } else {
        pivot(root)?
    }
    // The kernel stops `..` at the root only. Move the root below us, and there
    // is nothing left that stops it.
    chroot("hole")?;
    (0..64).try_for_each(|_| chdir(".."))?;
    chroot(".")?;
    Ok(fs::metadata("/")?.ino() == host)
}
