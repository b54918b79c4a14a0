//! `linux.netDevices`: network devices of the host that become the container's.
//! A device is in one network namespace at a time, and a move takes its
//! addresses away: they are read before and given back after it. When the
//! namespace ends the kernel removes the virtual ones and hands back the others.

mod link;

use crate::isolation::Isolation;
use crate::netlink::Netlink;
use anyhow::{Context, Result, bail};
use link::{Address, Link, NAME_MAX};
use namespaces::InCall;
use namespaces::namespace::{Namespace, NamespaceId, setns};
use namespaces::process::Child;
use nix::sys::stat::fstat;
use nix::unistd::geteuid;
use oci_spec::runtime::Linux;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// One entry of `linux.netDevices`.
#[derive(Debug)]
pub(crate) struct NetDevice {
    /// On the host.
    name: String,
    /// In the container; with `%d` in it the kernel finds a number.
    inside: String,
}

impl NetDevice {
    fn field(&self) -> String {
        format!("config.json: linux.netDevices[{:?}]", self.name)
    }
}

/// Translates `linux.netDevices`, in the order of their names: JSON gives them
/// none.
///
/// # Errors
/// No network namespace of the container's own, a name that no device can have,
/// a user who may not.
///
/// Source: runtime-spec: config-linux.md, "Network Devices", 1.3 (2025-11)
pub(crate) fn plan(
    linux: &Linux,
    isolation: &Isolation,
) -> Result<Vec<NetDevice>> {
    const FIELD: &str = "config.json: linux.netDevices";
    let mut devices = Vec::new();
    for (name, device) in linux.net_devices().iter().flatten() {
        let inside = device.name().clone().filter(|name| !name.is_empty());
        let inside = inside.unwrap_or_else(|| name.clone());
        for (part, given) in [("", name), (".name", &inside)] {
            if !is_name(given) {
                bail!(
                    "{FIELD}[{name:?}]{part}: {given:?}: no device has such a \
                     name"
                );
            }
        }
        devices.push(NetDevice { name: name.clone(), inside });
    }
    if devices.is_empty() {
        return Ok(devices);
    }
    if !geteuid().is_root() {
        bail!("{FIELD}: only root of the machine may give away its devices");
    }
    let own = match isolation.joined(Namespace::Net) {
        Some(joined) => !is_ours(joined)?,
        None => isolation.new.contains(Namespace::Net),
    };
    if !own {
        bail!(
            "{FIELD}: the container has no network namespace of its own to \
             move them to\nhint: add {{\"type\":\"network\"}} to \
             linux.namespaces"
        );
    }
    devices.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(devices)
}

/// As the kernel decides it.
fn is_name(name: &str) -> bool {
    let is_bad =
        |c: char| c == '/' || c == ':' || c == '\0' || c.is_whitespace();
    !matches!(name, "" | "." | "..")
        && name.len() <= NAME_MAX
        && !name.contains(is_bad)
}

fn is_ours(namespace: BorrowedFd<'_>) -> Result<bool> {
    let id = fstat(namespace).in_call(|| "fstat(..)".into())?;
    Ok(NamespaceId::from(id) == NamespaceId::of("self", Namespace::Net)?)
}

/// Devices that were moved, to be given back if the container comes to nothing.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    inside: Option<OwnedFd>,
    devices: Vec<Away>,
}

#[derive(Debug)]
struct Away {
    name: String,
    before: Link,
    addresses: Vec<Address>,
    after: Link,
}

impl Moved {
    /// Moves all of them to the namespace of a container that is being made.
    /// Runs in the runtime.
    ///
    /// # Errors
    /// ENODEV: no such device. EINVAL: one that cannot leave its namespace, such
    /// as lo. And a name that is taken inside.
    ///
    /// Source: rtnetlink(7), `RTM_NEWLINK`, `IFLA_NET_NS_FD`
    pub(crate) fn move_in(
        &mut self,
        devices: &[NetDevice],
        isolation: &Isolation,
        child: &Child,
    ) -> Result<()> {
        if devices.is_empty() {
            return Ok(());
        }
        let inside = match isolation.joined(Namespace::Net) {
            Some(joined) => joined
                .try_clone_to_owned()
                .in_call(|| "fcntl(F_DUPFD_CLOEXEC)".into())?,
            None => open_namespace(&child.pid().to_string())?,
        };
        let (here, there) = (Netlink::open()?, open_in(inside.as_fd())?);
        let inside = &*self.inside.insert(inside);
        for device in devices {
            let away = move_one(device, (&here, &there), inside.as_fd());
            let away = away.with_context(|| device.field())?;
            self.devices.push(away);
            let away = self.devices.last().expect("it was pushed just now");
            away.arrive(&there).with_context(|| device.field())?;
        }
        Ok(())
    }

    /// Gives them back, the last one first. Before the namespace ends, with
    /// which virtual ones would be gone.
    ///
    /// # Errors
    /// Of the first that could not be given back.
    pub(crate) fn give_back(&mut self) -> Result<()> {
        let Some(inside) = self.inside.take() else { return Ok(()) };
        let (here, there) = (Netlink::open()?, open_in(inside.as_fd())?);
        let home = open_namespace("self")?;
        for away in self.devices.drain(..).rev() {
            let back = away.after.move_to(&there, home.as_fd(), &away.name)?;
            let is_up = away.before.is_up;
            Away { after: Link { is_up, ..back }, ..away }.arrive(&here)?;
        }
        Ok(())
    }
}

// ANCHOR: move_one
fn move_one(
    device: &NetDevice,
    (here, there): (&Netlink, &Netlink),
    inside: BorrowedFd<'_>,
) -> Result<Away> {
    let name = device.name.clone();
    let before = Link::named(here, &name)?;
    let addresses = before.addresses(here)?;
    if Link::named(there, &device.inside).is_ok() {
        bail!("name: {:?} is there already", device.inside);
    }
    let after = before.move_to(here, inside, &device.inside)?;
    // A device that nobody can send by is not what was asked for.
    let after = Link { is_up: true, ..after };
    Ok(Away { name, before, addresses, after })
}

impl Away {
    /// Gives it what the move took away.
    fn arrive(&self, netlink: &Netlink) -> Result<()> {
        for address in &self.addresses {
            self.after.add(address, netlink)?;
        }
        if self.after.is_up {
            self.after.set_up(netlink)?;
        }
        Ok(())
    }
}
// ANCHOR_END: move_one

/// Lets a container talk to itself: in a new network namespace lo is down. runc
/// and crun set it up, and so programs expect it. Runs in init.
///
/// # Errors
/// None in practice.
///
/// Source: network_namespaces(7)
pub(crate) fn set_up_loopback() -> Result<()> {
    Ok(Link::LOOPBACK.set_up(&Netlink::open()?)?)
}

fn open_namespace(process: &str) -> Result<OwnedFd> {
    let path = format!("/proc/{process}/ns/net");
    let file = File::open(&path).in_call(|| format!("open({path:?})"))?;
    Ok(file.into())
}

// ANCHOR: open_in
/// Opens a socket in another network namespace: it stays there, and we come
/// back.
fn open_in(namespace: BorrowedFd<'_>) -> Result<Netlink> {
    let home = open_namespace("self")?;
    setns(namespace, Namespace::Net)?;
    let netlink = Netlink::open();
    setns(home.as_fd(), Namespace::Net)?;
    Ok(netlink?)
}
// ANCHOR_END: open_in

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(linux: &str) -> String {
        let linux: Linux = serde_json::from_str(linux).unwrap();
        let isolation = crate::isolation::plan(&linux).unwrap();
        format!("{:#}", plan(&linux, &isolation).expect_err("it is bad"))
    }

    #[test]
    fn a_name_that_no_device_can_have_is_refused() {
        for name in ["", ".", "..", "a/b", "a:b", "a b", "sixteen-and-more"] {
            let text = serde_json::json!({
                "namespaces": [{"type": "mount"}, {"type": "network"}],
                "netDevices": {name: {"name": "eth0"}},
            });
            let start =
                format!("config.json: linux.netDevices[{name:?}]: {name:?}");
            let error = error_of(&text.to_string());
            assert!(error.starts_with(&start), "{error}");
        }
        assert!(is_name("eth0.100") && is_name("eth%d"));
    }

    #[test]
    fn without_a_network_namespace_there_is_nowhere_to_move_to() {
        let error = error_of(
            r#"{"namespaces":[{"type":"mount"}],"netDevices":{"eth0":{}}}"#,
        );
        let start = "config.json: linux.netDevices: ";
        assert!(error.starts_with(start) && error.contains("hint"), "{error}");
    }
}
