//! `mounts` of config.json: planned by the runtime, which can still name the
//! field that is wrong; done by init, inside the root and by handle.

use crate::config::Bundle;
use crate::mount_options;
use crate::over_proc;
use crate::propagation::is_shared;
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::cgroup::{Cgroup, Version};
use namespaces::mounts::{DetachedMount, Mount, PROPAGATION, remount};
use namespaces::root::{Root, path_of};
use nix::mount::MsFlags;
use oci_spec::runtime::Mount as Entry;
use std::os::fd::AsFd;
use std::path::{Component, Path, PathBuf};

/// One entry of `mounts`, ready to be done.
#[derive(Debug)]
pub(crate) struct Planned {
    field: String,
    /// Several for cgroup v1, which has a tree for each controller; else one.
    mounts: Vec<Mount>,
    /// A file system that can be made read-only only after the others were
    /// mounted in it.
    close: Option<PathBuf>,
}

/// Translates `mounts`, in their order. A cgroup file system shows `cgroup`,
/// the container's own; if it has none, nothing: the caller's is not for it
/// (CVE-2023-25809).
///
/// # Errors
/// Names the entry and what is wrong with it: destination, source, or an
/// option.
///
/// Source: runtime-spec: config.md, "Mounts"
pub(crate) fn plan(
    bundle: &Bundle,
    cgroup: Option<&Path>,
) -> Result<Vec<Planned>> {
    let entries = bundle.spec.mounts().as_deref().unwrap_or_default();
    let planned = |(i, entry): (usize, &Entry)| {
        let field = format!("config.json: mounts[{i}]");
        let planned = plan_entry(entry, &bundle.dir, cgroup)
            .with_context(|| field.clone())?;
        Ok(Planned { field, ..planned })
    };
    entries.iter().enumerate().map(planned).collect()
}

fn plan_entry(
    entry: &Entry,
    bundle: &Path,
    cgroup: Option<&Path>,
) -> Result<Planned> {
    let mount = translate(entry, bundle)?;
    match mount.fstype.as_deref() {
        Some("cgroup" | "cgroup2") => match cgroup {
            Some(cgroup) => own_cgroup(&mount, cgroup),
            None => Ok(planned(vec![
                Mount::new("tmpfs", &mount.target)
                    .with_flags(mount.flags | MsFlags::MS_RDONLY)
                    .with_data("mode=755,size=64k"),
            ])),
        },
        _ => Ok(planned(vec![mount])),
    }
}

fn planned(mounts: Vec<Mount>) -> Planned {
    Planned { field: String::new(), mounts, close: None }
}

fn translate(entry: &Entry, bundle: &Path) -> Result<Mount> {
    if !entry.destination().is_absolute() {
        bail!("destination: {:?} is not an absolute path", entry.destination());
    }
    let is_name = |part| matches!(part, Component::Normal(_));
    if !entry.destination().components().any(is_name) {
        bail!("destination: {:?} is the root itself", entry.destination());
    }
    if entry.uid_mappings().is_some() || entry.gid_mappings().is_some() {
        bail!("uidMappings: mounts with id maps are not supported yet");
    }
    let (mut flags, data) =
        mount_options::split(entry.options().as_deref().unwrap_or_default())?;
    let typ = entry.typ().as_deref().filter(|typ| *typ != "none");
    if matches!(typ, Some("bind" | "rbind")) {
        flags |= MsFlags::MS_BIND;
    }
    let target = entry.destination().clone();
    if flags.contains(MsFlags::MS_BIND) {
        let source = bind_source(entry, bundle)?;
        // Data is dropped, as mount(2) does with that of a bind mount.
        return Ok(Mount { source, target, fstype: None, flags, data: None });
    }
    let typ =
        typ.context("type: missing, and no bind or rbind among the options")?;
    if matches!(typ, "cgroup" | "cgroup2") {
        refuse_data(typ, data.as_deref())?;
    }
    let source = entry.source().clone().unwrap_or_else(|| PathBuf::from(typ));
    Ok(Mount { source, target, fstype: Some(typ.to_owned()), flags, data })
}

/// The cgroup is shown by a bind mount; what a file system of that type would
/// make of the data is not done.
fn refuse_data(typ: &str, data: Option<&str>) -> Result<()> {
    match data {
        Some(data) => bail!("options: {data:?}: not for a mount of type {typ}"),
        None => Ok(()),
    }
}

/// A relative source counts from the bundle.
fn bind_source(entry: &Entry, bundle: &Path) -> Result<PathBuf> {
    let source = entry.source().as_ref().context("source: missing")?;
    let source = bundle.join(source);
    source
        .symlink_metadata()
        .in_call(|| format!("lstat({source:?})"))
        .context("source")?;
    Ok(source)
}

/// Shows the container its own cgroup where programs look for all of them. By
/// bind mounts, because they work with and without a cgroup namespace: v2 has
/// one tree; v1 gets a small tmpfs with a directory for each controller.
fn own_cgroup(mount: &Mount, cgroup: &Path) -> Result<Planned> {
    let own = Cgroup::open(cgroup)?;
    let bind = |source: &Path, target: PathBuf| {
        Mount::bind(source, target).with_flags(mount.flags)
    };
    let dirs = own.paths();
    match own.version() {
        Version::V2 => {
            let target = || mount.target.clone();
            let binds = dirs.iter().map(|dir| bind(dir, target()));
            Ok(planned(binds.collect()))
        }
        Version::V1 => {
            let flags = mount.flags - MsFlags::MS_RDONLY;
            let tmpfs = Mount::new("tmpfs", &mount.target)
                .with_flags(flags)
                .with_data("mode=755,size=64k");
            let in_tmpfs = |dir: &&Path| {
                bind(dir, mount.target.join(controllers(dir, cgroup)))
            };
            let mounts =
                [tmpfs].into_iter().chain(dirs.iter().map(in_tmpfs)).collect();
            let close = mount
                .flags
                .contains(MsFlags::MS_RDONLY)
                .then(|| mount.target.clone());
            Ok(Planned { close, ..planned(mounts) })
        }
    }
}

/// The name of the hierarchy that a cgroup's directory is in: `cpu,cpuacct` of
/// `/sys/fs/cgroup/cpu,cpuacct/my/group`.
fn controllers<'a>(dir: &'a Path, cgroup: &Path) -> &'a Path {
    let depth = cgroup.components().count() - 1;
    let hierarchy = dir.ancestors().nth(depth).and_then(Path::file_name);
    Path::new(
        hierarchy.expect("the directory of a cgroup ends in the cgroup's path"),
    )
}

impl Planned {
    /// Tells whether it is to show what the host mounts later.
    pub(crate) fn follows_host(&self) -> bool {
        let words = MsFlags::MS_SLAVE | MsFlags::MS_SHARED;
        self.mounts.iter().any(|mount| mount.flags.intersects(words))
    }

    /// Makes a bind mount private about which nothing is said.
    pub(crate) fn cut_off_if_silent(&mut self) {
        for mount in &mut self.mounts {
            let bind = mount.flags.contains(MsFlags::MS_BIND);
            if bind && !mount.flags.intersects(PROPAGATION) {
                mount.flags |= MsFlags::MS_PRIVATE;
            }
        }
    }

    /// Copies the source of a shared bind mount while it still is the host's
    /// peer. Runs in init.
    pub(crate) fn hold_shared(&self) -> Result<Option<DetachedMount>> {
        let shared = MsFlags::MS_BIND | MsFlags::MS_SHARED;
        let [mount] = &self.mounts[..] else { return Ok(None) };
        if !mount.flags.contains(shared) {
            return Ok(None);
        }
        let held = match is_shared(&mount.source) {
            Ok(false) => return Ok(None),
            Ok(true) => mount.hold(),
            Err(error) => Err(error),
        };
        held.map(Some).with_context(|| self.field.clone())
    }

    /// Mounts inside the root; `held` is what [`Planned::hold_shared`] gave.
    /// Runs in init.
    pub(crate) fn mount_in(
        &self,
        root: &Root,
        held: Option<DetachedMount>,
    ) -> Result<()> {
        if let Some(first) = self.mounts.first() {
            over_proc::check(root, first)
                .with_context(|| self.field.clone())?;
        }
        let mounted = match (held, &self.mounts[..]) {
            (Some(held), [mount]) => mount.attach_in(held, root),
            (_, mounts) => {
                mounts.iter().try_for_each(|mount| mount.mount_in(root))
            }
        };
        mounted
            .and_then(|()| self.close_in(root))
            .with_context(|| self.field.clone())
    }

    fn close_in(&self, root: &Root) -> namespaces::Result<()> {
        let Some(target) = &self.close else { return Ok(()) };
        let mount = root.resolve(target)?;
        remount(&path_of(mount.as_fd()), MsFlags::MS_RDONLY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(json: &str) -> Result<Mount> {
        translate(&serde_json::from_str(json).unwrap(), Path::new("/"))
    }

    #[test]
    fn words_become_flags_and_the_rest_is_the_file_systems() {
        let json = r#"{"destination":"/dev","type":"tmpfs","options":["nosuid","mode=755","ro","rw","size=64k"]}"#;
        let mount = entry(json).unwrap();
        assert_eq!(mount.flags, MsFlags::MS_NOSUID);
        assert_eq!(mount.data.as_deref(), Some("mode=755,size=64k"));
    }

    #[test]
    fn a_relative_source_counts_from_the_bundle() {
        let mount = entry(
            r#"{"destination":"/x","source":"etc","options":["rbind","ro"]}"#,
        )
        .unwrap();
        assert_eq!(mount.source, Path::new("/etc"));
        assert_eq!(
            mount.flags,
            MsFlags::MS_BIND | MsFlags::MS_REC | MsFlags::MS_RDONLY
        );
    }

    #[test]
    fn a_bad_mount_says_which_part_is_bad() {
        for (json, start) in [
            (r#"{"destination":"x","type":"tmpfs"}"#, "destination: "),
            (r#"{"destination":"/../.","type":"tmpfs"}"#, "destination: "),
            (r#"{"destination":"/x"}"#, "type: missing"),
            (
                r#"{"destination":"/x","type":"cgroup","options":["ro","frob"]}"#,
                "options: \"frob\"",
            ),
            (r#"{"destination":"/x","type":"bind"}"#, "source: missing"),
            (
                r#"{"destination":"/x","source":"/nowhere","options":["bind"]}"#,
                "source: lstat(\"/nowhere\") = ENOENT",
            ),
            (
                r#"{"destination":"/x","type":"tmpfs","options":["nodev","rro"]}"#,
                "options[1]: \"rro\"",
            ),
        ] {
            let error = format!("{:#}", entry(json).unwrap_err());
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn a_hierarchy_is_named_by_its_directory() {
        let dir = Path::new("/sys/fs/cgroup/cpu,cpuacct/a/b");
        assert_eq!(
            controllers(dir, Path::new("/a/b")),
            Path::new("cpu,cpuacct")
        );
    }
}
