//! Requirements of a test. A test whose requirement is missing has proven
//! nothing, so it must not look green: it skips loudly, the skip is counted,
//! and where everything must be there a skip is a failure.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::find_program;

/// What a test cannot run without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Effective user id 0.
    Root,
    /// The right to create a user namespace and to map oneself to root in it.
    UserNamespaces,
    /// The memory and pids controllers on cgroup v1 hierarchies.
    CgroupV1,
    /// The memory and pids controllers on the cgroup v2 hierarchy.
    CgroupV2,
    /// systemd's own hierarchy of cgroup v1, which has no controller.
    SystemdsHierarchy,
    /// A kernel with loop devices, and losetup(8).
    LoopDevices,
    /// A program on `PATH`.
    Program(&'static str),
    /// A kernel of this version or newer.
    Kernel(u32, u32),
}

/// Tells whether everything in `needs` is there.
///
/// If not, says so on the real stderr (test harnesses swallow the printed one)
/// and appends a line to the file that the environment variable `CONMAN_SKIPS`
/// names. The caller then returns.
///
/// # Panics
/// With `CONMAN_REQUIRE_ALL=1`, if anything is missing that could be there. A
/// machine has one layout of cgroups: a test of the other is skipped on it.
pub fn requires(needs: &[Need]) -> bool {
    let Some(missing) = needs.iter().find(|need| !need.is_there()) else {
        return true;
    };
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("SKIP {test}: {missing}\n");
    let other_layout = matches!(
        missing,
        Need::CgroupV1 | Need::CgroupV2 | Need::SystemdsHierarchy
    );
    assert!(other_layout || !require_all(), "CONMAN_REQUIRE_ALL=1, but {line}");
    // A lost note about a skip must not fail the test; the count in
    // CONMAN_SKIPS is what decides.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("CONMAN_SKIPS") {
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .unwrap_or_else(|error| {
                panic!("CONMAN_SKIPS: {}: {error}", path.display())
            });
    }
    false
}

fn require_all() -> bool {
    std::env::var_os("CONMAN_REQUIRE_ALL").is_some_and(|value| value == "1")
}

impl Need {
    fn is_there(self) -> bool {
        match self {
            Need::Root => nix::unistd::geteuid().is_root(),
            Need::UserNamespaces => creates_user_namespaces(),
            Need::CgroupV1 => {
                ["memory", "pids"].iter().all(|name| on_cgroup_v1(name))
            }
            Need::CgroupV2 => {
                ["memory", "pids"].iter().all(|name| on_cgroup_v2(name))
            }
            Need::SystemdsHierarchy => on_cgroup_v1("name=systemd"),
            Need::LoopDevices => {
                Path::new("/dev/loop-control").exists()
                    && find_program("losetup").is_some()
            }
            Need::Program(name) => find_program(name).is_some(),
            Need::Kernel(major, minor) => kernel() >= (major, minor),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Root => {
                write!(f, "needs root: run it as root, or with sudo -E")
            }
            Need::UserNamespaces => write!(
                f,
                "needs user namespaces: see \
                 /proc/sys/user/max_user_namespaces and \
                 /proc/sys/kernel/apparmor_restrict_unprivileged_userns"
            ),
            Need::CgroupV1 => {
                write!(f, "needs the memory and pids controllers on cgroup v1")
            }
            Need::CgroupV2 => {
                write!(f, "needs the memory and pids controllers on cgroup v2")
            }
            Need::SystemdsHierarchy => {
                write!(f, "needs the hierarchy name=systemd of cgroup v1")
            }
            Need::LoopDevices => {
                write!(f, "needs loop devices: modprobe loop; and losetup")
            }
            Need::Program(name) => {
                write!(f, "needs the program {name} on PATH: install it")
            }
            Need::Kernel(major, minor) => {
                write!(f, "needs Linux {major}.{minor} or newer: boot one")
            }
        }
    }
}

/// The first two numbers of `6.1.0-37-amd64`.
fn kernel() -> (u32, u32) {
    let system = nix::sys::utsname::uname().expect("uname cannot fail");
    let release = system.release().to_string_lossy();
    let mut numbers = release.split(['.', '-']).map(str::parse);
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
    (next(), next())
}

/// Asks the kernel by doing it: three sysctls and two security modules have a
/// say, so reading them is guessing.
fn creates_user_namespaces() -> bool {
    Command::new("unshare")
        .args(["--user", "--map-root-user", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Finds a hierarchy of type `cgroup` with the controller among its options.
fn on_cgroup_v1(controller: &str) -> bool {
    mounts().any(|(_, kind, options)| {
        kind == "cgroup"
            && options.split(',').any(|option| option == controller)
    })
}

/// Reads `cgroup.controllers` where cgroup v2 is mounted: a hybrid layout
/// mounts it almost empty.
fn on_cgroup_v2(controller: &str) -> bool {
    mounts().filter(|(_, kind, _)| kind == "cgroup2").any(|(target, ..)| {
        fs::read_to_string(format!("{target}/cgroup.controllers")).is_ok_and(
            |list| list.split_whitespace().any(|name| name == controller),
        )
    })
}

/// Mount point, file system type and super block options of every mount:
/// proc_pid_mounts(5).
fn mounts() -> impl Iterator<Item = (String, String, String)> {
    let table = fs::read_to_string("/proc/self/mounts")
        .expect("procfs is mounted at /proc");
    let rows: Vec<_> = table
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1).map(str::to_owned);
            Some((fields.next()?, fields.next()?, fields.next()?))
        })
        .collect();
    rows.into_iter()
}
