//! `process.rlimits`: what the container process may use, checked by the kernel
//! at each call.

use anyhow::{Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use oci_spec::runtime::{PosixRlimit, PosixRlimitType};

/// One limit, as setrlimit(2) takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rlimit {
    resource: Resource,
    soft: u64,
    hard: u64,
}

/// How many files init may have open between this limit and execve(2), with
/// room to spare. Fewer would fail there, with an error that names another
/// field.
const LEAST_FILES: u64 = 16;

/// Translates `process.rlimits`.
///
/// # Errors
/// A type given twice; a soft limit above its hard one, or too low for us.
///
/// Source: runtime-spec: config.md, "POSIX process"
pub(crate) fn plan(limits: &[PosixRlimit]) -> Result<Vec<Rlimit>> {
    let mut plan: Vec<Rlimit> = Vec::with_capacity(limits.len());
    for (i, limit) in limits.iter().enumerate() {
        let (resource, soft, hard) =
            (resource(limit.typ()), limit.soft(), limit.hard());
        if plan.iter().any(|earlier| earlier.resource == resource) {
            bail!(
                "config.json: process.rlimits[{i}].type: {} is there twice",
                limit.typ()
            );
        }
        if resource == Resource::RLIMIT_NOFILE && soft < LEAST_FILES {
            bail!(
                "config.json: process.rlimits[{i}].soft: {soft}: init has \
                 to open up to {LEAST_FILES} files to become the program"
            );
        }
        if soft > hard {
            bail!(
                "config.json: process.rlimits[{i}].soft: {soft} is above the \
                 hard limit {hard}"
            );
        }
        plan.push(Rlimit { resource, soft, hard });
    }
    Ok(plan)
}

/// Sets the limits for the calling process and the programs that it becomes.
/// Runs in init.
///
/// # Errors
/// EPERM: a hard limit above the present one, without CAP_SYS_RESOURCE.
///
/// Source: setrlimit(2)
pub(crate) fn apply(plan: &[Rlimit]) -> Result<()> {
    for Rlimit { resource, soft, hard } in plan {
        if let Err(errno) = setrlimit(*resource, *soft, *hard) {
            let hint = match getrlimit(*resource) {
                Ok((_, now)) => format!(
                    "\nhint: the hard limit here is {now}; to raise it needs \
                     CAP_SYS_RESOURCE"
                ),
                Err(_) => String::new(),
            };
            bail!(
                "config.json: process.rlimits: setrlimit({resource:?}, \
                 {{{soft}, {hard}}}) = {errno:?}: {}{hint}",
                errno.desc()
            );
        }
    }
    Ok(())
}

fn resource(typ: PosixRlimitType) -> Resource {
    use PosixRlimitType as T;
    match typ {
        T::RlimitCpu => Resource::RLIMIT_CPU,
        T::RlimitFsize => Resource::RLIMIT_FSIZE,
        T::RlimitData => Resource::RLIMIT_DATA,
        T::RlimitStack => Resource::RLIMIT_STACK,
        T::RlimitCore => Resource::RLIMIT_CORE,
        T::RlimitRss => Resource::RLIMIT_RSS,
        T::RlimitNproc => Resource::RLIMIT_NPROC,
        T::RlimitNofile => Resource::RLIMIT_NOFILE,
        T::RlimitMemlock => Resource::RLIMIT_MEMLOCK,
        T::RlimitAs => Resource::RLIMIT_AS,
        T::RlimitLocks => Resource::RLIMIT_LOCKS,
        T::RlimitSigpending => Resource::RLIMIT_SIGPENDING,
        T::RlimitMsgqueue => Resource::RLIMIT_MSGQUEUE,
        T::RlimitNice => Resource::RLIMIT_NICE,
        T::RlimitRtprio => Resource::RLIMIT_RTPRIO,
        T::RlimitRttime => Resource::RLIMIT_RTTIME,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(json: &str) -> Vec<PosixRlimit> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_type_that_is_there_twice_is_refused() {
        let twice = limits(
            r#"[{"type":"RLIMIT_CORE","soft":0,"hard":0},{"type":"RLIMIT_CORE","soft":1,"hard":1}]"#,
        );
        let error = plan(&twice).unwrap_err().to_string();
        assert_eq!(
            error,
            "config.json: process.rlimits[1].type: RLIMIT_CORE is there twice"
        );
    }

    #[test]
    fn a_limit_of_files_that_init_cannot_live_with_is_refused() {
        let none = r#"[{"type":"RLIMIT_NOFILE","soft":0,"hard":9}]"#;
        let error = plan(&limits(none)).unwrap_err().to_string();
        assert!(
            error.starts_with("config.json: process.rlimits[0].soft: 0: "),
            "{error}"
        );
    }

    #[test]
    fn a_soft_limit_above_the_hard_one_is_refused() {
        assert!(
            plan(&limits(r#"[{"type":"RLIMIT_CPU","soft":2,"hard":1}]"#))
                .is_err()
        );
    }
}
