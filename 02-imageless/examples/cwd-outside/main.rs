//! A careless runtime: its wall is right, and it has one descriptor too many
//! when it goes to the working directory. CVE-2024-21626.
//! Run: `sudo target/debug/examples/cwd-outside BUNDLE`

use anyhow::{Context, Result, bail};
use namespaces::mounts::Mount;
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::process::close_from;
use namespaces::rootfs::{bind_root, make_private, pivot};
use nix::unistd::chdir;
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn main() -> Result<()> {
    // Whatever our own caller has left open shall not matter here.
    close_from(3)?;
    let bundle =
        std::env::args().nth(1).context("usage: cwd-outside BUNDLE")?;
    // "To find the cgroup later." It is closed at the execve(2): too late.
    let _host = File::open("/")?;
    let config = fs::read(Path::new(&bundle).join("config.json"))?;
    let config: Value = serde_json::from_slice(&config)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let root = text(&config["root"]["path"]).context("root.path")?;
    let cwd = text(&config["process"]["cwd"]).context("process.cwd")?;
    let args = config["process"]["args"].as_array();
    let args: Vec<_> = args.into_iter().flatten().filter_map(text).collect();
    let [program, args @ ..] = &args[..] else { bail!("process.args") };

    unshare(Namespaces::from_iter([Namespace::Mount]))?;
    make_private()?;
    let root = bind_root(&Path::new(&bundle).join(root))?;
    Mount::new("proc", "/proc").mount_in(&root)?;
    pivot(root)?;
    chdir(cwd.as_str())?;
    Err(Command::new(program).args(args).exec().into())
}
