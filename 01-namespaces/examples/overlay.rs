//! Lays a directory in memory over one on disk, and deletes what is on disk.
//! Run: `sudo target/debug/examples/overlay`

use anyhow::Result;
use namespaces::namespace::Namespace;
use namespaces::process::{SpawnOptions, spawn};
use namespaces::root::Root;
use namespaces::rootfs::make_private;
use std::{fs, path::Path};

fn main() -> Result<()> {
    let dir = std::env::temp_dir().join(std::process::id().to_string());
    fs::create_dir(&dir)?;
    fs::write(dir.join("file"), "kept")?;
    let namespaces = [Namespace::Mount].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let child = spawn(&options, || match inside(&dir) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("child:  {error:#}");
            1
        }
    })?;
    child.wait()?;
    println!("parent: the file is there: {}", dir.join("file").exists());
    Ok(fs::remove_dir_all(dir)?)
}

fn inside(dir: &Path) -> Result<()> {
    make_private()?;
    Root::overlay(dir)?;
    println!("child:  I read {:?}", fs::read_to_string(dir.join("file"))?);
    fs::remove_file(dir.join("file"))?;
    println!("child:  the file is there: {}", dir.join("file").exists());
    Ok(())
}
