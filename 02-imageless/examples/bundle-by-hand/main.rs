//! Makes a bundle that needs nothing but the static busybox of this machine.
//! Run: `target/debug/examples/bundle-by-hand DIRECTORY`

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

fn main() -> Result<()> {
    let bundle = std::env::args().nth(1).map(PathBuf::from);
    let bundle = bundle.context("usage: bundle-by-hand DIRECTORY")?;
    let bin = bundle.join("rootfs/bin");
    fs::create_dir_all(&bin)?;
    fs::copy("/bin/busybox", bin.join("busybox"))?;
    fs::write(bundle.join("config.json"), config().to_string())?;
    Ok(())
}

/// What runs, on which root, and how it is isolated.
fn config() -> Value {
    json!({
        "ociVersion": "1.0.2",
        "root": { "path": "rootfs", "readonly": true },
        // EXERCISE 02.1 begin
        // STARTER: "process": {
        // STARTER:     "args": ["/bin/busybox", "cat", "-"],
        // STARTER:     "cwd": "/",
        // STARTER:     "user": { "uid": 0, "gid": 0 },
        // STARTER: },
        // STARTER: "linux": { "namespaces": [{ "type": "mount" }] },
        "process": {
            "args": ["/bin/busybox", "cat", "-"],
            "cwd": "/",
            "user": { "uid": 1000, "gid": 1000 },
        },
        "linux": {
            "namespaces": [
                { "type": "pid" },
                { "type": "network" },
                { "type": "ipc" },
                { "type": "uts" },
                { "type": "mount" },
            ],
        },
        // EXERCISE 02.1 end
    })
}
