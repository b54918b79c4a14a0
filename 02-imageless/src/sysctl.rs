//! `linux.sysctl`, and the host and domain name: files under /proc/sys that
//! belong to a namespace, not to the host. Init writes them through the host's
//! /proc before any mount of the container exists, so that nothing which the
//! image or a volume brings can stand in the way (CVE-2025-52881); the kernel
//! picks the writer's namespaces.

use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::namespace::{Namespace, Namespaces};
use nix::unistd::sethostname;
use oci_spec::runtime::Spec;
use std::fs;
use std::io::Write;

/// Which names, or beginnings of names, belong to which namespace.
///
/// Source: namespaces(7), ipc_namespaces(7), uts_namespaces(7)
const NAMESPACED: &[(&str, Namespace)] = &[
    ("net.", Namespace::Net),
    ("fs.mqueue.", Namespace::Ipc),
    ("kernel.msgmax", Namespace::Ipc),
    ("kernel.msgmnb", Namespace::Ipc),
    ("kernel.msgmni", Namespace::Ipc),
    ("kernel.sem", Namespace::Ipc),
    ("kernel.shmall", Namespace::Ipc),
    ("kernel.shmmax", Namespace::Ipc),
    ("kernel.shmmni", Namespace::Ipc),
    ("kernel.shm_rmid_forced", Namespace::Ipc),
    ("kernel.hostname", Namespace::Uts),
    ("kernel.domainname", Namespace::Uts),
];

/// One file to write.
#[derive(Debug)]
pub(crate) struct Sysctl {
    field: String,
    file: String,
    value: String,
}

/// Translates `hostname`, `domainname` and `linux.sysctl`.
///
/// # Errors
/// A name that is the host's, because it belongs to no namespace or the
/// container does not have that namespace. A host or domain name that is none.
///
/// Source: runtime-spec: config.md, "Hostname", "Domainname"; config-linux.md,
/// "Sysctl"
pub(crate) fn plan(spec: &Spec, own: Namespaces) -> Result<Vec<Sysctl>> {
    let named =
        [("hostname", spec.hostname()), ("domainname", spec.domainname())];
    let names = named.into_iter().filter_map(|(field, value)| {
        let value = value.as_ref().filter(|value| !value.is_empty())?;
        Some((field.to_owned(), format!("kernel.{field}"), value.clone()))
    });
    let sysctl = spec
        .linux()
        .iter()
        .filter_map(|linux| linux.sysctl().as_ref())
        .flatten();
    let sysctl = sysctl
        .map(|(k, v)| (format!("linux.sysctl[{k:?}]"), k.clone(), v.clone()));
    names
        .chain(sysctl)
        .map(|(field, key, value)| plan_one(field, &key, value, own))
        .collect()
}

fn plan_one(
    field: String,
    key: &str,
    value: String,
    own: Namespaces,
) -> Result<Sysctl> {
    let key = normalize(key);
    // In a sysctl's name, '.' separates and '/' is a dot in a component, as in
    // net.ipv4.conf.eth0/1.forwarding.
    let file = swap_separators(&key);
    // A '+' or a space would smuggle a second setting past tools that join them
    // (CVE-2022-0811).
    let named =
        key.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:".contains(&b));
    if !named
        || file.split('/').any(|component| ["", ".", ".."].contains(&component))
    {
        bail!("config.json: {field}: not a sysctl's name");
    }
    let Some((_, namespace)) =
        NAMESPACED.iter().find(|(name, _)| covers(name, &key))
    else {
        bail!(
            "config.json: {field}: belongs to no namespace: it would change \
             the host"
        );
    };
    if !own.contains(*namespace) {
        let name = namespace.file();
        bail!(
            "config.json: {field}: would change the host\nhint: add a {name} \
             namespace to linux.namespaces"
        );
    }
    if *namespace == Namespace::Uts {
        check_name(&field, &value)?;
    }
    Ok(Sysctl { field, file: format!("/proc/sys/{file}"), value })
}

/// The kernel takes any bytes as a name, and cuts off the rest of a longer one
/// that is written to the file.
///
/// Source: sethostname(2), setdomainname(2)
fn check_name(field: &str, name: &str) -> Result<()> {
    /// The kernel's `__NEW_UTS_LEN`, in bytes.
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        let len = name.len();
        bail!("config.json: {field}: {len} bytes, the most is {LONGEST}");
    }
    if name.contains(char::is_control) {
        bail!("config.json: {field}: {name:?} has a control character");
    }
    Ok(())
}

/// Turns `net/ipv4/ip_forward` into `net.ipv4.ip_forward`: whichever separator
/// comes first is the separator.
///
/// Source: sysctl.d(5)
fn normalize(key: &str) -> String {
    match key.find(['.', '/']) {
        Some(at) if key.as_bytes()[at] == b'/' => swap_separators(key),
        _ => key.to_owned(),
    }
}

fn swap_separators(key: &str) -> String {
    key.chars()
        .map(|c| match c {
            '.' => '/',
            '/' => '.',
            c => c,
        })
        .collect()
}

fn covers(name: &str, key: &str) -> bool {
    if name.ends_with('.') {
        key.starts_with(name) && key.len() > name.len()
    } else {
        key == name
    }
}

/// Writes the values. Runs in init, in the new namespaces, while /proc is still
/// the host's.
///
/// # Errors
/// ENOENT: this kernel has no such sysctl. EINVAL: not a value for it.
///
/// Source: proc_sys(5)
pub(crate) fn apply(plan: &[Sysctl]) -> Result<()> {
    plan.iter().try_for_each(|sysctl| {
        let field = || format!("config.json: {}", sysctl.field);
        sysctl.apply().with_context(field)
    })
}

impl Sysctl {
    fn apply(&self) -> namespaces::Result<()> {
        let Self { file, value, .. } = self;
        if file == "/proc/sys/kernel/hostname" {
            // The file belongs to the host's root, which the root of a user
            // namespace is not; the call asks only for the right over the name.
            return sethostname(value)
                .in_call(|| format!("sethostname({value:?})"));
        }
        fs::OpenOptions::new()
            .write(true)
            .open(file)
            .and_then(|mut file| file.write_all(value.as_bytes()))
            .in_call(|| format!("write({file:?}, {value:?})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(key: &str, own: &[Namespace]) -> Result<String> {
        let own = own.iter().copied().collect();
        Ok(plan_one("f".into(), key, "1".into(), own)?.file)
    }

    #[test]
    fn both_separators_give_the_same_file() {
        for key in [
            "net.ipv4.conf.eth0/1.forwarding",
            "net/ipv4/conf/eth0.1/forwarding",
        ] {
            let file = file(key, &[Namespace::Net]).unwrap();
            assert_eq!(file, "/proc/sys/net/ipv4/conf/eth0.1/forwarding");
        }
    }

    #[test]
    fn a_host_name_is_64_bytes_of_text() {
        let own = Namespaces::from_iter([Namespace::Uts]);
        let plan = |name: &str, field: &str| {
            let json = serde_json::json!({ field: name }).to_string();
            plan(&serde_json::from_str(&json).unwrap(), own)
        };
        for field in ["hostname", "domainname"] {
            assert!(plan(&"x".repeat(64), field).is_ok());
            for bad in [&"x".repeat(65), "a\nb", "a\0"] {
                let error = plan(bad, field).unwrap_err().to_string();
                let start = format!("config.json: {field}: ");
                assert!(error.starts_with(&start), "{error}");
            }
        }
    }

    #[test]
    fn a_sysctl_of_the_host_is_refused() {
        let all: Vec<_> = Namespace::all().collect();
        for key in [
            "kernel.core_pattern",
            "vm.swappiness",
            "kernel.shm_rmid_forced+kernel.core_pattern",
            "net.../../kernel.core_pattern",
            "net/../kernel/core_pattern",
            "net.",
            "kernel.semx",
            "",
        ] {
            assert!(file(key, &all).is_err(), "{key}");
        }
        assert!(file("net.ipv4.ip_forward", &[Namespace::Ipc]).is_err());
    }
}
