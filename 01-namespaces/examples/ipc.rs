//! A message queue made inside has a name that means nothing outside.
//! Run: `sudo target/debug/examples/ipc`

use anyhow::Result;
use namespaces::namespace::Namespace;
use namespaces::process::{SpawnOptions, spawn};
use nix::mqueue::{MQ_OFlag, MqAttr, mq_open};
use nix::sys::stat::Mode;

const NAME: &str = "/hello";

fn main() -> Result<()> {
    let namespaces = [Namespace::Ipc].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    // It needs no unlinking: it is gone with the last process in there.
    let child = spawn(&options, || {
        let make = MQ_OFlag::O_CREAT | MQ_OFlag::O_RDWR;
        let size = MqAttr::new(0, 1, 64, 0);
        let made = mq_open(NAME, make, Mode::S_IRWXU, Some(&size));
        println!("child:  make {NAME}: {:?}", made.map(drop));
        println!("child:  open {NAME}: {:?}", open());
        0
    })?;
    child.wait()?;
    println!("parent: open {NAME}: {:?}", open());
    Ok(())
}

fn open() -> nix::Result<()> {
    mq_open(NAME, MQ_OFlag::O_RDONLY, Mode::empty(), None).map(drop)
}
