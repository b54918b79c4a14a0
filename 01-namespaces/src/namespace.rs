//! The eight namespaces of Linux: one table says all that this project knows of
//! each of them. Everything else (flags for clone3, files under /proc, texts of
//! errors) is read from that table.

mod forbidden;
mod join;

use crate::error::{InCall, Result};
use libc::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID,
    CLONE_NEWUSER, CLONE_NEWUTS,
};
use nix::fcntl::{OFlag, open};
use nix::sched::CloneFlags;
use nix::sys::stat::Mode;
use nix::unistd;
use std::fmt;
use std::os::fd::{BorrowedFd, OwnedFd};

pub use forbidden::why_forbidden;

/// Names one kind of namespace.
///
/// Source: namespaces(7)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespace {
    /// User and group ids, and capabilities over what the namespace owns.
    User,
    /// The mount tree.
    Mount,
    /// Process ids.
    Pid,
    /// Host name and NIS domain name.
    Uts,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// Network devices, addresses, routes, ports, abstract sockets.
    Net,
    /// What counts as the root of the cgroup tree.
    Cgroup,
    /// Offsets of the monotonic and boot clocks.
    Time,
}

pub use join::{
    NamespaceFile, NamespaceId, different, has_ended, join_files, join_process,
};

use Namespace::{Cgroup, Ipc, Mount, Net, Pid, Time, User, Uts};

// ANCHOR: table
/// What there is to know of one namespace.
struct Row {
    namespace: Namespace,
    /// Its name in /proc/PID/ns.
    file: &'static str,
    /// Its flag for clone3(2), as the man pages spell it and as a number.
    constant: &'static str,
    flag: i32,
}

/// In the order in which a process has to join them: the user namespace gives
/// the right to enter the others. Behind each: since which Linux it exists.
#[rustfmt::skip]
const TABLE: [Row; 8] = [
    row(User,   "user",   "CLONE_NEWUSER",   CLONE_NEWUSER),   // 3.8 2013-02
    row(Mount,  "mnt",    "CLONE_NEWNS",     CLONE_NEWNS),     // 2.4.19 2002-08
    row(Pid,    "pid",    "CLONE_NEWPID",    CLONE_NEWPID),    // 2.6.24 2008-01
    row(Uts,    "uts",    "CLONE_NEWUTS",    CLONE_NEWUTS),    // 2.6.19 2006-11
    row(Ipc,    "ipc",    "CLONE_NEWIPC",    CLONE_NEWIPC),    // 2.6.19 2006-11
    row(Net,    "net",    "CLONE_NEWNET",    CLONE_NEWNET),    // 2.6.24 2008-01
    row(Cgroup, "cgroup", "CLONE_NEWCGROUP", CLONE_NEWCGROUP), // 4.6 2016-05
    row(Time,   "time",   "CLONE_NEWTIME",   CLONE_NEWTIME),   // 5.6 2020-03
];
// ANCHOR_END: table

/// Keeps the table a table: with its fields' names a line would be too long.
const fn row(
    namespace: Namespace,
    file: &'static str,
    constant: &'static str,
    flag: i32,
) -> Row {
    Row { namespace, file, constant, flag }
}

/// Bit 0x80 belongs to the exit signal in clone(2), so only unshare(2) and
/// clone3(2) take this flag.
const CLONE_NEWTIME: i32 = 0x80;

impl Namespace {
    /// Every namespace, in the order in which a process has to join them.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.namespace)
    }

    /// Gives the name of the file in `/proc/PID/ns`: `mnt`, `pid`, ..
    pub fn file(self) -> &'static str {
        self.row().file
    }

    /// Gives the constant as the man pages spell it: `CLONE_NEWNS`, ..
    pub fn constant(self) -> &'static str {
        self.row().constant
    }

    /// Gives the flag for clone3(2), unshare(2) and setns(2).
    pub fn flag(self) -> CloneFlags {
        CloneFlags::from_bits_retain(self.row().flag)
    }

    fn row(self) -> &'static Row {
        let mut rows = TABLE.iter();
        rows.find(|row| row.namespace == self)
            .expect("TABLE has every namespace")
    }
}

/// Holds a set of namespaces.
///
/// Source: clone(2), "The flags mask"
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Namespaces {
    bits: u8,
}

impl Namespaces {
    /// The empty set.
    pub const NONE: Self = Self { bits: 0 };

    /// Adds one namespace.
    pub fn insert(&mut self, namespace: Namespace) {
        self.bits |= 1 << namespace as u8;
    }

    /// Takes one namespace out.
    pub fn remove(&mut self, namespace: Namespace) {
        self.bits &= !(1 << namespace as u8);
    }

    /// Tells whether a namespace is in the set.
    pub fn contains(self, namespace: Namespace) -> bool {
        self.bits & (1 << namespace as u8) != 0
    }

    /// Tells whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Goes through the set in the order in which a process has to join them.
    pub fn iter(self) -> impl Iterator<Item = Namespace> {
        Namespace::all().filter(move |namespace| self.contains(*namespace))
    }

    /// Gives the flags for clone3(2) and unshare(2).
    pub fn flags(self) -> CloneFlags {
        self.iter().fold(CloneFlags::empty(), |flags, namespace| {
            flags | namespace.flag()
        })
    }
}

impl FromIterator<Namespace> for Namespaces {
    fn from_iter<I: IntoIterator<Item = Namespace>>(namespaces: I) -> Self {
        let mut set = Self::NONE;
        namespaces.into_iter().for_each(|namespace| set.insert(namespace));
        set
    }
}

impl fmt::Display for Namespaces {
    /// Prints the flags as strace(1) does: `CLONE_NEWNS|CLONE_NEWPID`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let constants: Vec<_> = self.iter().map(Namespace::constant).collect();
        match constants.as_slice() {
            [] => f.write_str("0"),
            some => f.write_str(&some.join("|")),
        }
    }
}

/// Moves the calling process into new namespaces. A new pid or time namespace
/// takes in its *children*, not the caller.
///
/// # Errors
/// EPERM: neither root nor, with a user namespace in the set, allowed to make
/// one.
/// EINVAL: a user namespace, and the process has threads. ENOSPC: a limit in
/// /proc/sys/user is reached.
///
/// Source: unshare(2)
pub fn unshare(namespaces: Namespaces) -> Result<()> {
    nix::sched::unshare(namespaces.flags())
        .in_call(|| format!("unshare({namespaces})"))
}

/// Opens the namespace that a process is in, to enter it later with [`setns`]
/// or to keep it alive.
///
/// # Errors
/// ENOENT: no such process, or the kernel lacks that namespace. EACCES: not
/// allowed to ptrace the process.
///
/// Source: namespaces(7), "The /proc/pid/ns/ directory"
pub fn open_namespace(
    pid: unistd::Pid,
    namespace: Namespace,
) -> Result<OwnedFd> {
    let path = format!("/proc/{pid}/ns/{}", namespace.file());
    open(path.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
        .in_call(|| format!("open({path:?})"))
}

/// Moves the calling process into an existing namespace; for a pid namespace,
/// the children that it makes from now on.
///
/// # Errors
/// EINVAL: the descriptor is not that kind of namespace. EPERM: no
/// CAP_SYS_ADMIN over it.
///
/// Source: setns(2)
pub fn setns(fd: BorrowedFd<'_>, namespace: Namespace) -> Result<()> {
    nix::sched::setns(fd, namespace.flag())
        .in_call(|| format!("setns(.., {})", namespace.constant()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let mut set = Namespaces::from_iter([Namespace::Pid, Namespace::Mount]);
        set.remove(Namespace::Pid);
        set.insert(Namespace::Time);
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Namespace::Mount, Namespace::Time]
        );
        assert_eq!(set.to_string(), "CLONE_NEWNS|CLONE_NEWTIME");
    }

    #[test]
    fn the_user_namespace_is_joined_first() {
        assert_eq!(Namespace::all().next(), Some(Namespace::User));
    }

    #[test]
    fn every_file_of_the_table_is_there_in_proc() {
        for namespace in Namespace::all() {
            open_namespace(unistd::Pid::this(), namespace).unwrap();
        }
    }
}
