//! What a container sees mounted: the kernel's file systems, the pod's
//! /dev/shm, and what CRI asks for.

use std::path::Path;

use oci_spec::runtime::{Mount, MountBuilder};

use crate::cri::{self, ContainerConfig, MountPropagation};
use crate::error::{Error, Result};

/// The kernel's file systems: destination, type, options.
///
/// Source: runtime-spec: config-linux.md, "Default Filesystems"
const DEFAULT: [(&str, &str, &[&str]); 6] = [
    ("/proc", "proc", &["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
    (
        "/dev/pts",
        "devpts",
        &[
            "nosuid",
            "noexec",
            "newinstance",
            "ptmxmode=0666",
            "mode=0620",
            "gid=5",
        ],
    ),
    ("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    // Read-only: what lies there is the machine's, not the container's.
    ("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
    (
        "/sys/fs/cgroup",
        "cgroup",
        &["nosuid", "noexec", "nodev", "relatime", "ro"],
    ),
];

/// Lists the mounts in the order in which they are made: parents before what
/// lies in them.
///
/// # Errors
/// [`Error::Invalid`]: a mount without a path, or with `..` in one.
pub(super) fn mounts(
    config: &ContainerConfig,
    shm: &Path,
) -> Result<Vec<Mount>> {
    let mut asked =
        config.mounts.iter().map(bind).collect::<Result<Vec<_>>>()?;
    // Stable, so that of two mounts on one path the later asked for is on top.
    asked.sort_by_key(|mount| mount.destination().components().count());

    let mut all = Vec::new();
    for (destination, kind, options) in DEFAULT {
        let options: Vec<_> = options.iter().map(ToString::to_string).collect();
        all.push(mount(destination, kind, kind, options)?);
    }
    let options = ["rbind", "nosuid", "noexec", "nodev"].map(str::to_owned);
    all.push(mount(
        "/dev/shm",
        "bind",
        &shm.to_string_lossy(),
        options.to_vec(),
    )?);
    // Who brings a /dev/shm of his own does not want ours below it.
    all.retain(|ours| {
        asked.iter().all(|mount| mount.destination() != ours.destination())
    });
    all.extend(asked);
    Ok(all)
}

fn bind(asked: &cri::Mount) -> Result<Mount> {
    let propagation = match asked.propagation() {
        MountPropagation::PropagationPrivate => "rprivate",
        MountPropagation::PropagationHostToContainer => "rslave",
        MountPropagation::PropagationBidirectional => "rshared",
    };
    let access = if asked.readonly { "ro" } else { "rw" };
    let options = ["rbind", propagation, access].map(str::to_owned).to_vec();
    let destination = absolute("container_path", &asked.container_path)?;
    let source = absolute("host_path", &asked.host_path)?;
    mount(destination, "bind", source, options)
}

fn absolute<'a>(field: &str, path: &'a str) -> Result<&'a str> {
    let clean =
        path.starts_with('/') && !path.split('/').any(|part| part == "..");
    clean.then_some(path).ok_or_else(|| {
        Error::Invalid(format!(
            "mounts: {field} {path:?}: not an absolute path without `..`"
        ))
    })
}

fn mount(
    destination: &str,
    kind: &str,
    source: &str,
    options: Vec<String>,
) -> Result<Mount> {
    Ok(MountBuilder::default()
        .destination(destination)
        .typ(kind)
        .source(source)
        .options(options)
        .build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(mounts: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
        let mounts = mounts.iter().map(|(container, host)| cri::Mount {
            container_path: (*container).to_owned(),
            host_path: (*host).to_owned(),
            ..Default::default()
        });
        let config =
            ContainerConfig { mounts: mounts.collect(), ..Default::default() };
        let text = |path: &Path| path.display().to_string();
        let made = super::mounts(&config, Path::new("/pin/shm"))?;
        let rows = made.iter().map(|m| {
            (text(m.destination()), text(m.source().as_ref().unwrap()))
        });
        Ok(rows.collect())
    }

    #[test]
    fn the_pods_shm_is_mounted_unless_the_container_brings_its_own() {
        let shm = |mounts: &[(&str, &str)]| -> Vec<String> {
            let rows = asked(mounts).unwrap().into_iter();
            rows.filter(|(to, _)| to == "/dev/shm")
                .map(|(_, from)| from)
                .collect()
        };
        assert_eq!(shm(&[]), ["/pin/shm"]);
        assert_eq!(shm(&[("/dev/shm", "/mine")]), ["/mine"]);
    }

    #[test]
    fn a_mount_inside_another_comes_after_it() {
        let rows = asked(&[("/data/in", "/b"), ("/data", "/a")]).unwrap();
        let last: Vec<_> =
            rows.iter().rev().take(2).map(|(to, _)| to.as_str()).collect();
        assert_eq!(last, ["/data/in", "/data"]);
    }

    #[test]
    fn paths_that_climb_or_are_relative_are_refused() {
        for pair in
            [("data", "/a"), ("/x/../../etc", "/a"), ("/data", ""), ("", "/a")]
        {
            let error = asked(&[pair]).unwrap_err().to_string();
            assert!(error.starts_with("mounts: "), "{pair:?}: {error}");
        }
    }
}
