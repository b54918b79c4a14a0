//! Which capabilities a container gets: Docker's list of defaults, with what is
//! added and dropped, and never one that we do not have ourselves: asking the
//! kernel for it would fail the whole container.

use std::collections::HashSet;

use oci_spec::runtime::{
    Capabilities, Capability, LinuxCapabilities, LinuxCapabilitiesBuilder,
};

use crate::cri;
use crate::error::{Error, Result, failed};

/// By the kernel's number: bit N of CapBnd is entry N.
///
/// Source: capabilities(7), linux/capability.h; the last three are of Linux 5.8
/// (2020-08) and 5.9 (2020-10)
const BY_NUMBER: [Capability; 41] = {
    use Capability::*;
    [
        Chown,
        DacOverride,
        DacReadSearch,
        Fowner,
        Fsetid,
        Kill,
        Setgid,
        Setuid,
        Setpcap,
        LinuxImmutable,
        NetBindService,
        NetBroadcast,
        NetAdmin,
        NetRaw,
        IpcLock,
        IpcOwner,
        SysModule,
        SysRawio,
        SysChroot,
        SysPtrace,
        SysPacct,
        SysAdmin,
        SysBoot,
        SysNice,
        SysResource,
        SysTime,
        SysTtyConfig,
        Mknod,
        Lease,
        AuditWrite,
        AuditControl,
        Setfcap,
        MacOverride,
        MacAdmin,
        Syslog,
        WakeAlarm,
        BlockSuspend,
        AuditRead,
        Perfmon,
        Bpf,
        CheckpointRestore,
    ]
};

/// What a container has when nothing is said: enough for a package manager or a
/// web server to run as root.
const DEFAULT: [Capability; 14] = {
    use Capability::*;
    [
        AuditWrite,
        Chown,
        DacOverride,
        Fowner,
        Fsetid,
        Kill,
        Mknod,
        NetBindService,
        NetRaw,
        Setfcap,
        Setgid,
        Setpcap,
        Setuid,
        SysChroot,
    ]
};

/// What this daemon has itself; nobody can give more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Our bounding set.
    pub bounding: Capabilities,
    /// Our own score: lowering it takes CAP_SYS_RESOURCE.
    pub oom_score_adj: i32,
}

impl Limits {
    /// Reads our own limits from /proc.
    ///
    /// # Errors
    /// ENOENT: no procfs at /proc.
    ///
    /// Source: proc_pid_status(5), CapBnd; proc_pid_oom_score_adj(5)
    pub fn own() -> Result<Self> {
        let read = |file: &str| {
            std::fs::read_to_string(file)
                .map_err(failed(format!("open({file:?})")))
        };
        let status = read("/proc/self/status")?;
        let score = read("/proc/self/oom_score_adj")?;
        Ok(Self {
            bounding: bounding(&status).ok_or_else(|| {
                Error::Failed("/proc/self/status: no CapBnd".to_owned())
            })?,
            oom_score_adj: score.trim().parse().unwrap_or(0),
        })
    }
}

/// Returns the names of all capabilities that requests may use.
pub fn known_capabilities() -> impl Iterator<Item = String> {
    BY_NUMBER.iter().map(|capability| format!("CAP_{capability}"))
}

/// Works out the five sets. Inheritable stays empty (CVE-2022-24769): it would
/// come back to life in a program with file capabilities.
///
/// # Errors
/// [`Error::Invalid`]: a name that is no capability.
///
/// Source: capabilities(7); CRI: api.proto, Capability
pub(super) fn capabilities(
    asked: &cri::Capability,
    limits: &Limits,
) -> Result<LinuxCapabilities> {
    let ambient = named(&asked.add_ambient_capabilities)?;
    let mut all: Capabilities = DEFAULT.into();
    all.extend(&ambient);
    // ALL first, single names after: "drop ALL, add CHOWN" and "add ALL, drop
    // MKNOD" mean what they say.
    if asked.drop_capabilities.iter().any(|name| is_all(name)) {
        all.clear();
    }
    if asked.add_capabilities.iter().any(|name| is_all(name)) {
        all.extend(BY_NUMBER);
    }
    all.extend(named(&asked.add_capabilities)?);
    for dropped in named(&asked.drop_capabilities)? {
        all.remove(&dropped);
    }
    all.retain(|capability| limits.bounding.contains(capability));
    let ambient: Capabilities = ambient.intersection(&all).copied().collect();
    Ok(LinuxCapabilitiesBuilder::default()
        .bounding(all.clone())
        .effective(all.clone())
        .permitted(all)
        .inheritable(ambient.clone())
        .ambient(ambient)
        .build()?)
}

fn is_all(name: &str) -> bool {
    name.eq_ignore_ascii_case("ALL")
}

/// Reads names with or without `CAP_`, in any case, as docker and Kubernetes
/// do; `ALL` is not one of them.
fn named(names: &[String]) -> Result<HashSet<Capability>> {
    let names = names.iter().filter(|name| !is_all(name));
    names
        .map(|name| {
            let upper = name.to_ascii_uppercase();
            let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
            let known = BY_NUMBER
                .into_iter()
                .find(|capability| capability.to_string() == bare);
            known.ok_or_else(|| {
                Error::Invalid(format!(
                    "capabilities: {name:?} is none: see capabilities(7)"
                ))
            })
        })
        .collect()
}

fn bounding(status: &str) -> Option<Capabilities> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapBnd:"))?;
    let bits = u64::from_str_radix(line.trim(), 16).ok()?;
    let numbered = BY_NUMBER.iter().enumerate();
    Some(
        numbered
            .filter(|(n, _)| bits >> n & 1 == 1)
            .map(|(_, capability)| *capability)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(
        add: &[&str],
        drop: &[&str],
        limits: &[Capability],
    ) -> Capabilities {
        let names =
            |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let asked = cri::Capability {
            add_capabilities: names(add),
            drop_capabilities: names(drop),
            ..Default::default()
        };
        let limits = Limits {
            bounding: limits.iter().copied().collect(),
            oom_score_adj: 0,
        };
        let sets = capabilities(&asked, &limits).unwrap();
        assert_eq!(sets.inheritable(), &Some(HashSet::new()), "CVE-2022-24769");
        sets.bounding().clone().unwrap()
    }

    #[test]
    fn without_a_word_the_set_is_the_default_one() {
        assert_eq!(sets(&[], &[], &BY_NUMBER), DEFAULT.into());
    }

    #[test]
    fn nothing_is_given_that_we_lack() {
        use Capability::{Chown, Kill, SysResource};
        assert_eq!(sets(&["ALL"], &[], &[Chown, Kill]), [Chown, Kill].into());
        assert_eq!(sets(&["SYS_RESOURCE"], &["ALL"], &[Chown]), HashSet::new());
        assert_eq!(
            sets(&["SYS_RESOURCE"], &["ALL"], &BY_NUMBER),
            [SysResource].into()
        );
    }

    #[test]
    fn all_comes_before_single_names() {
        use Capability::{Chown, Kill, Mknod};
        assert_eq!(sets(&["CHOWN"], &["ALL"], &BY_NUMBER), [Chown].into());
        assert_eq!(
            sets(&["all"], &["cap_mknod"], &[Kill, Mknod]),
            [Kill].into()
        );
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let error = named(&["CAP_FLY".to_owned()]).unwrap_err().to_string();
        assert_eq!(
            error,
            "capabilities: \"CAP_FLY\" is none: see capabilities(7)"
        );
    }

    #[test]
    fn the_bounding_set_is_read_by_the_kernels_numbers() {
        use Capability::{CheckpointRestore, Chown, SysResource};
        let read = |bits: u64| {
            bounding(&format!("Name:\tx\nCapBnd:\t{bits:016x}\n")).unwrap()
        };
        assert_eq!(read(1), [Chown].into());
        assert_eq!(
            read(1 << 24 | 1 << 40),
            [SysResource, CheckpointRestore].into()
        );
        assert_eq!(bounding("Name:\tx\n"), None);
    }
}
