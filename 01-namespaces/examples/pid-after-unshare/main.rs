//! unshare(CLONE_NEWPID), then two children: who is in the new pid namespace?
//! Run: `sudo target/debug/examples/pid-after-unshare sleep 10`

use anyhow::{Result, bail};
use namespaces::namespace::{Namespace, Namespaces, unshare};
use std::process::{Command, Stdio};

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [program, args @ ..] = argv.as_slice() else {
        bail!("usage: pid-after-unshare COMMAND..");
    };
    unshare(Namespaces::from_iter([Namespace::Pid]))?;
    // The first child reads from us, and we write nothing: it only waits.
    let mut first = Command::new(program);
    let mut first = first.args(args).stdin(Stdio::piped()).spawn()?;
    let mut second = Command::new(program).args(args).spawn()?;
    second.wait()?;
    first.wait()?;
    Ok(())
}
