//! A new network has one device, and even that is switched off.
//! Run: `sudo target/debug/examples/net`

use anyhow::Result;
use namespaces::namespace::Namespace;
use namespaces::process::{SpawnOptions, spawn};
use std::fs;
use std::net::UdpSocket;

fn main() -> Result<()> {
    let namespaces = [Namespace::Net].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let child = spawn(&options, || {
        show("child: ");
        0
    })?;
    child.wait()?;
    show("parent:");
    Ok(())
}

fn show(who: &str) {
    let table = fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
    let rows = table.lines().filter_map(|line| line.split_once(':'));
    let devices: Vec<_> = rows.map(|(name, _)| name.trim()).collect();
    println!("{who} devices {devices:?}");
    let socket = UdpSocket::bind("0.0.0.0:0");
    let reached = socket.and_then(|socket| socket.connect("127.0.0.1:9"));
    println!("{who} reaches 127.0.0.1: {}", reached.is_ok());
}
