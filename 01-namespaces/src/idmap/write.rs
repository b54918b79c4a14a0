//! Writes id maps. Who is root writes them itself. An ordinary user may write
//! one line of one id, its own; for more it asks two programs that are root,
//! newuidmap(1) and newgidmap(1), which look into /etc/subuid and /etc/subgid.

use super::fault::fault;
use super::{Caller, IdMapping, IdMaps};
use crate::error::{InCall, Result, SyscallError};
use crate::namespace::why_forbidden;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fmt;
use std::process::Command;

/// One thing to do for the maps of a process.
///
/// Source: user_namespaces(7), newuidmap(1), newgidmap(1)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapStep {
    /// Writes a file below `/proc/PID`: which, and its contents.
    Write(String, String),
    /// Runs newuidmap(1) or newgidmap(1): the program and its arguments.
    Run(&'static str, Vec<String>),
}

impl fmt::Display for MapStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(file, text) => write!(f, "write({file:?}, {text:?})"),
            Self::Run(program, args) => {
                write!(f, "{program} {}", args.join(" "))
            }
        }
    }
}

impl IdMaps {
    // ANCHOR: plan
    /// Lists what has to be done for a process, in the order that the kernel
    /// asks for.
    ///
    /// Who writes `gid_map` as an ordinary user has to give up setgroups(2)
    /// before: otherwise a process could drop a group that *denies* it
    /// something (CVE-2014-8989).
    pub fn plan(&self, pid: &str, caller: &Caller) -> Vec<MapStep> {
        let file = |name| format!("/proc/{pid}/{name}");
        let rows = [
            (&self.uids, caller.uid, "uid_map", "newuidmap"),
            (&self.gids, caller.gid, "gid_map", "newgidmap"),
        ];
        let step = |(map, own, name, program): (&Vec<_>, _, _, _)| {
            if may_write(map, own, caller) {
                MapStep::Write(file(name), lines(map))
            } else {
                MapStep::Run(program, arguments(pid, map))
            }
        };
        let deny = self
            .denies_setgroups(caller)
            .then(|| MapStep::Write(file("setgroups"), "deny".into()));
        let rows = rows.into_iter().filter(|(map, ..)| !map.is_empty());
        deny.into_iter().chain(rows.map(step)).collect()
    }
    // ANCHOR_END: plan

    /// Tells whether setgroups(2) will be denied in the namespace, for ever.
    pub fn denies_setgroups(&self, caller: &Caller) -> bool {
        !caller.is_root()
            && !self.gids.is_empty()
            && may_write(&self.gids, caller.gid, caller)
    }

    /// Writes the maps of a process in a new user namespace. Runs in its
    /// parent; each map can be written once.
    ///
    /// # Errors
    /// EINVAL: ranges overlap or are impossible (not even tried: the hint tells
    /// which). ENOENT: newuidmap(1) is needed and not installed.
    /// EPERM: the map was written before, newuidmap(1) refused, or the system
    /// forbids it.
    ///
    /// Source: user_namespaces(7), newuidmap(1), newgidmap(1)
    pub fn write(&self, pid: Pid) -> Result<()> {
        let caller = Caller::current();
        self.check()?;
        for step in self.plan(&pid.to_string(), &caller) {
            step.run()?;
        }
        Ok(())
    }

    /// Refuses maps that no kernel takes, and says which line is to blame.
    ///
    /// # Errors
    /// EINVAL: always that.
    ///
    /// Source: user_namespaces(7), "Defining user and group ID mappings"
    pub fn check(&self) -> Result<()> {
        for (name, map) in [("uid_map", &self.uids), ("gid_map", &self.gids)] {
            if let Some(fault) = fault(map) {
                let call = format!("write(\"/proc/PID/{name}\", ..)");
                return Err(SyscallError::new(call, Errno::EINVAL).hint(fault));
            }
        }
        Ok(())
    }
}

/// Tells whether the kernel lets the caller write a map without help.
fn may_write(map: &[IdMapping], own: u32, caller: &Caller) -> bool {
    let own_id_only =
        matches!(map, [one] if one.count == 1 && one.outside == own);
    caller.is_root() || own_id_only
}

fn lines(map: &[IdMapping]) -> String {
    map.iter().map(|mapping| format!("{mapping}\n")).collect()
}

fn arguments(pid: &str, map: &[IdMapping]) -> Vec<String> {
    let triple = |m: &IdMapping| [m.inside, m.outside, m.count];
    let ids = map.iter().flat_map(triple).map(|id| id.to_string());
    [pid.to_owned()].into_iter().chain(ids).collect()
}

impl MapStep {
    fn run(&self) -> Result<()> {
        match self {
            Self::Write(file, text) => std::fs::write(file, text)
                .in_call(|| self.to_string())
                .map_err(explain_write),
            Self::Run(program, args) => {
                let output = Command::new(program)
                    .args(args)
                    .output()
                    .in_call(|| format!("execve({program:?}, ..)"))
                    .map_err(explain_missing)?;
                if output.status.success() {
                    return Ok(());
                }
                // It tells why by text alone.
                let said = String::from_utf8_lossy(&output.stderr);
                let said = said.lines().next().unwrap_or("it said nothing");
                let error = SyscallError::new(self.to_string(), Errno::EPERM);
                Err(error.hint(said))
            }
        }
    }
}

fn explain_write(error: SyscallError) -> SyscallError {
    match why_forbidden(error.errno) {
        Some(why) if !Caller::current().is_root() => error.hint(why),
        _ => error,
    }
}

fn explain_missing(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::ENOENT => error.hint(
            "for more than its own id an ordinary user needs newuidmap(1) and \
             newgidmap(1): apt install uidmap",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Caller = Caller { uid: 1000, gid: 100 };
    const ROOT: Caller = Caller { uid: 0, gid: 0 };
    const RANGE: IdMapping =
        IdMapping { inside: 1, outside: 100_000, count: 65_536 };

    fn plan(maps: &IdMaps, caller: &Caller) -> Vec<String> {
        let steps = maps.plan("7", caller);
        steps.iter().map(MapStep::to_string).collect()
    }

    #[test]
    fn an_ordinary_user_gives_up_setgroups_before_it_maps_groups() {
        let maps = IdMaps::root_is_caller(&USER);
        let expected = [
            r#"write("/proc/7/setgroups", "deny")"#,
            r#"write("/proc/7/uid_map", "0 1000 1\n")"#,
            r#"write("/proc/7/gid_map", "0 100 1\n")"#,
        ];
        assert_eq!(plan(&maps, &USER), expected);
    }

    #[test]
    fn root_keeps_setgroups_and_writes_one_line_a_range() {
        let uids = vec![IdMapping::single(0, 1000), RANGE];
        let maps = IdMaps { uids, gids: vec![] };
        let expected =
            [r#"write("/proc/7/uid_map", "0 1000 1\n1 100000 65536\n")"#];
        assert_eq!(plan(&maps, &ROOT), expected);
    }

    #[test]
    fn an_ordinary_user_asks_newuidmap_for_ranges() {
        let maps = IdMaps {
            uids: vec![IdMapping::single(0, 1000), RANGE],
            gids: vec![IdMapping::single(0, 100), RANGE],
        };
        let expected = [
            "newuidmap 7 0 1000 1 1 100000 65536",
            "newgidmap 7 0 100 1 1 100000 65536",
        ];
        assert_eq!(plan(&maps, &USER), expected);
    }
}
