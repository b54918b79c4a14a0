//! What is in /dev: the default devices and links, and `linux.devices`.

use anyhow::{Context, Error, Result, bail};
use namespaces::namespace::Namespaces;
use namespaces::root::{self, Node, Root};
use namespaces::rootfs::{DEFAULT_DEVICES, DefaultDevice, link_dev};
use namespaces::{InCall, SyscallError};
use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::{Mode, SFlag, makedev};
use nix::unistd::{Gid, Uid, fchownat};
use oci_spec::runtime::{LinuxDevice, LinuxDeviceType as Type, Spec};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// One entry of `linux.devices`, ready to be made.
#[derive(Debug)]
pub(crate) struct Device {
    field: String,
    path: PathBuf,
    node: Node,
    owner: (Option<Uid>, Option<Gid>),
}

/// In each container a link, which [`create`] makes. An engine that lists all
/// devices of the host has it in its list.
const PTMX: &str = "/dev/ptmx";

/// Translates `linux.devices`.
///
/// # Errors
/// A type that is no device's, a path that is not absolute, a negative number.
///
/// Source: runtime-spec: config-linux.md, "Devices"
pub(crate) fn plan(spec: &Spec) -> Result<Vec<Device>> {
    let devices = spec
        .linux()
        .iter()
        .filter_map(|linux| linux.devices().as_ref())
        .flatten();
    devices
        .enumerate()
        .filter(|(_, device)| device.path() != Path::new(PTMX))
        .map(|(i, device)| plan_device(i, device))
        .collect()
}

fn plan_device(i: usize, device: &LinuxDevice) -> Result<Device> {
    let field = format!("config.json: linux.devices[{i}]");
    let kind = match device.typ() {
        Type::B => SFlag::S_IFBLK,
        Type::C | Type::U => SFlag::S_IFCHR,
        Type::P => SFlag::S_IFIFO,
        Type::A => bail!(
            "{field}.type: {:?} is not b, c, u or p",
            device.typ().as_str()
        ),
    };
    let path = device.path().clone();
    if !path.is_absolute() {
        bail!("{field}.path: {path:?} is not an absolute path");
    }
    let number = |n: i64| {
        u64::try_from(n)
            .with_context(|| format!("{field}: negative number {n}"))
    };
    let number = match device.typ() {
        Type::P => 0,
        Type::A | Type::B | Type::C | Type::U => {
            makedev(number(device.major())?, number(device.minor())?)
        }
    };
    let mode = Mode::from_bits_truncate(device.file_mode().unwrap_or(0o666));
    if device.uid() == Some(u32::MAX) || device.gid() == Some(u32::MAX) {
        bail!("{field}: uid or gid {} is nobody's", u32::MAX);
    }
    let owner =
        (device.uid().map(Uid::from_raw), device.gid().map(Gid::from_raw));
    Ok(Device { field, path, node: Node { kind, mode, device: number }, owner })
}

/// Fills /dev. If the configuration binds a /dev of its own, that stays as it
/// is. Runs in init.
///
/// # Errors
/// Names the device.
///
/// Source: runtime-spec: config-linux.md, "Default Devices"
pub(crate) fn create(
    root: &Root,
    devices: &[Device],
    new: Namespaces,
) -> Result<()> {
    DEFAULT_DEVICES
        .iter()
        .try_for_each(|device| create_default(root, device, new))
        .and_then(|()| Ok(link_dev(root)?))
        .map_err(explain)?;
    devices.iter().try_for_each(|device| device.create(root))
}

/// Says why the default devices cannot be made where nothing is mounted on
/// /dev: they go to the root file system itself then.
fn explain(error: Error) -> Error {
    match error.downcast_ref::<SyscallError>().map(|error| error.errno) {
        Some(Errno::EACCES | Errno::EROFS) => error.context(
            "config.json: mounts: no tmpfs on /dev, and the root file system \
             does not take the default devices",
        ),
        _ => error,
    }
}

/// Tells whether /dev comes from the host, so that nothing may be made in it.
pub(crate) fn dev_is_bound(spec: &Spec) -> bool {
    let is_bind = |options: &Option<Vec<String>>| {
        options
            .iter()
            .flatten()
            .any(|option| option == "bind" || option == "rbind")
    };
    let mut mounts = spec.mounts().iter().flatten();
    mounts.any(|mount| {
        mount.destination() == Path::new("/dev")
            && (is_bind(mount.options())
                || mount.typ().as_deref() == Some("bind"))
    })
}

/// A root file system may bring its own /dev/null: accepted if it is the real
/// one (CVE-2025-31133 is about one that is not).
fn create_default(
    root: &Root,
    device: &DefaultDevice,
    new: Namespaces,
) -> Result<()> {
    match device.create(root, new) {
        Err(error) if error.errno == Errno::EEXIST => {
            let (major, minor) = device.number;
            let path = Path::new("/dev").join(device.name);
            let there =
                is_device(root, &path, SFlag::S_IFCHR, makedev(major, minor))?;
            if there {
                Ok(())
            } else {
                Err(error)
                    .context("the root file system has another file there")
            }
        }
        result => Ok(result?),
    }
}

fn is_device(
    root: &Root,
    path: &Path,
    kind: SFlag,
    number: u64,
) -> Result<bool> {
    let status = root::status(root.resolve_no_symlinks(path)?.as_fd())?;
    Ok(SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT == kind
        && status.st_rdev == number)
}

impl Device {
    fn create(&self, root: &Root) -> Result<()> {
        self.create_node(root).with_context(|| self.field.clone())
    }

    fn create_node(&self, root: &Root) -> Result<()> {
        match root.mknod(&self.path, &self.node) {
            Err(error) if error.errno == Errno::EEXIST => {
                if !is_device(
                    root,
                    &self.path,
                    self.node.kind,
                    self.node.device,
                )? {
                    return Err(error.into());
                }
            }
            result => result?,
        }
        let (uid, gid) = self.owner;
        if uid.is_some() || gid.is_some() {
            let node = root.resolve_no_symlinks(&self.path)?;
            fchownat(&node, "", uid, gid, AtFlags::AT_EMPTY_PATH).in_call(
                || format!("fchownat({:?}, {uid:?}, {gid:?})", self.path),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dev_of_the_host_is_recognised() {
        for (json, bound) in [
            (
                r#"{"mounts":[{"destination":"/dev","source":"/dev","options":["rbind"]}]}"#,
                true,
            ),
            (
                r#"{"mounts":[{"destination":"/dev","source":"/dev","type":"bind"}]}"#,
                true,
            ),
            (r#"{"mounts":[{"destination":"/dev","type":"tmpfs"}]}"#, false),
            (
                r#"{"mounts":[{"destination":"/dev/x","source":"/dev/x","options":["bind"]}]}"#,
                false,
            ),
        ] {
            assert_eq!(
                dev_is_bound(&serde_json::from_str(json).unwrap()),
                bound,
                "{json}"
            );
        }
    }

    #[test]
    fn a_type_that_is_no_device_is_refused() {
        let json = r#"{"linux":{"devices":[{"path":"/dev/x","type":"a","major":1,"minor":1}]}}"#;
        let error =
            plan(&serde_json::from_str(json).unwrap()).unwrap_err().to_string();
        assert!(
            error.starts_with("config.json: linux.devices[0].type"),
            "{error}"
        );
    }
}
