//! Shows root's file as user 1000's, and on disk it stays root's.
//! Run: `sudo target/debug/examples/idmapped`

use anyhow::Result;
use namespaces::idmap::{IdMapping, IdMaps};
use namespaces::mounts::{DetachedMount, Reach, user_namespace};
use namespaces::root::{Root, path_of};
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

fn main() -> Result<()> {
    let dir = std::env::temp_dir().join(std::process::id().to_string());
    fs::create_dir(&dir)?;
    File::create(dir.join("old"))?;

    // On disk 0, seen as 1000, one id.
    let map = vec![IdMapping { inside: 0, outside: 1000, count: 1 }];
    let maps = IdMaps { uids: map.clone(), gids: map };
    let root = Root::open(&dir)?;
    let mount = DetachedMount::open_tree(root.as_fd(), Reach::This)?;
    mount.idmap(user_namespace(&maps)?.as_fd(), Reach::This)?;

    // Attached nowhere: there is no path to it but by its handle.
    let seen = path_of(mount.as_fd()).join("old").metadata()?.uid();
    println!("through the mount: old is {seen}'s");
    let disk = dir.join("old").metadata()?.uid();
    println!("on disk:           old is {disk}'s");
    let refused = File::create(path_of(mount.as_fd()).join("new"));
    println!("root may create:   {}", refused.is_ok());
    Ok(fs::remove_dir_all(dir)?)
}
