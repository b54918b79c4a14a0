//! Tries the classic way out of a chroot(2), then the same after pivot_root(2).
//! Run: `sudo target/debug/examples/escape`

use anyhow::Result;
use namespaces::namespace::Namespace;
use namespaces::process::{SpawnOptions, spawn};
use namespaces::rootfs::{bind_root, make_private, pivot};
use nix::unistd::{chdir, chroot};
use std::os::unix::fs::MetadataExt;
use std::{fs, path::Path};

fn main() -> Result<()> {
    let namespaces = [Namespace::Mount].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let jail = std::env::temp_dir().join(std::process::id().to_string());
    fs::create_dir_all(jail.join("hole"))?;
    for name in ["chroot", "pivot_root"] {
        let child = spawn(&options, || {
            println!("{name}: escaped: {:?}", escape(name, &jail));
            0
        })?;
        child.wait()?;
    }
    Ok(fs::remove_dir_all(jail)?)
}

fn escape(name: &str, jail: &Path) -> Result<bool> {
    make_private()?;
    let (host, root) = (fs::metadata("/")?.ino(), bind_root(jail)?);
    if name == "chroot" {
        chroot(jail)?
    } else {
        pivot(root)?
    }
    chdir("/")?;
    // `..` stops at the root only. Move the root below us: nothing stops it.
    chroot("hole")?;
    (0..64).try_for_each(|_| chdir(".."))?;
    Ok(fs::metadata(".")?.ino() == host)
}
