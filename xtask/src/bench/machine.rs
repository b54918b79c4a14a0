//! What the numbers belong to: processors, kernel, cgroups, and whether others
//! were at work.

use nix::sys::utsname::uname;
use std::fs;

/// Describes the machine in one line.
pub(super) fn machine() -> String {
    let cpus = read("/proc/cpuinfo");
    let count =
        cpus.lines().filter(|line| line.starts_with("processor")).count();
    let model = value(&cpus, "model name");
    let kernel = uname().map_or("?".into(), |names| {
        names.release().to_string_lossy().into_owned()
    });
    let mounts = read("/proc/self/mountinfo");
    let v1 = mounts.lines().any(|line| line.contains(" - cgroup "));
    let cgroups = if v1 { "v1" } else { "v2" };
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?");
    format!("{count} x {model}, Linux {kernel}, cgroup {cgroups}, load {load}")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value of the first line that begins with this key.
fn value(text: &str, key: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(key));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or("?".to_owned(), |(_, value)| value.trim().to_owned())
}
