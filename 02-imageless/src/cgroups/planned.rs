//! Where in the tree a container's cgroup is, decided from `linux.cgroupsPath`
//! and from who makes it: we, systemd, or nobody.

use super::Place;
use crate::id::Id;
use crate::systemd::Scope;
use anyhow::{Result, bail};
use clap::ValueEnum;
use namespaces::cgroup::Cgroup;
use namespaces::idmap::in_first_user_namespace;
use nix::unistd::{AccessFlags, access, geteuid};
use oci_spec::runtime::Linux;
use std::path::{Component, Path, PathBuf};

/// Who makes a container's cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Manager {
    /// We, in the cgroup file system
    Cgroupfs,
    /// systemd, at our request
    Systemd,
    /// Nobody: the container stays in its caller's
    Disabled,
}

impl Place {
    /// Finds the place that `linux.cgroupsPath` names, or the default one.
    ///
    /// # Errors
    /// A path with `..`, which would lead out of the hierarchy.
    ///
    /// Source: runtime-spec: config-linux.md, "Cgroups Path"
    pub(crate) fn plan(
        linux: &Linux,
        id: &Id,
        manager: Manager,
    ) -> Result<Self> {
        if manager == Manager::Disabled {
            return Ok(Self::default());
        }
        let wanted = linux.cgroups_path().as_deref();
        let wanted = wanted.filter(|path| !path.as_os_str().is_empty());
        if manager == Manager::Systemd {
            return Ok(Self::of_scope(Scope::plan(wanted, id)?));
        }
        let path = match wanted {
            Some(path) => Path::new("/").join(path),
            None => match default_path(id)? {
                Some(path) => path,
                None => return Ok(Self::default()),
            },
        };
        if path.components().any(|part| part == Component::ParentDir)
            || path.parent().is_none()
        {
            bail!(
                "config.json: linux.cgroupsPath: {path:?}: not a cgroup below \
                 the top"
            );
        }
        let parents = if path.parent() == Some(Path::new("/")) {
            // Above it is where the hierarchy is mounted.
            vec![]
        } else {
            let cgroup = Cgroup::with_systemds(&path)?;
            cgroup.paths().into_iter().flat_map(missing_parents).collect()
        };
        Ok(Self { path: Some(path), parents, scope: None })
    }

    /// The slices above it are systemd's, and stay as it has them.
    fn of_scope(scope: Scope) -> Self {
        let path = Some(scope.path());
        Self { path, parents: vec![], scope: Some(scope) }
    }
}

/// Finds where a container goes of which nobody says where: to the top, or for
/// an ordinary user to what is delegated to her. `None`: that is nothing.
///
/// Source: cgroups(7), "Cgroups delegation: delegating a hierarchy to a less
/// privileged user"
// ANCHOR: default_path
fn default_path(id: &Id) -> Result<Option<PathBuf>> {
    let name = format!("imageless-{id}");
    let top = Path::new("/").join(&name);
    if is_machines_root() || may_make(&top)? {
        return Ok(Some(top));
    }
    match Cgroup::absolute(Path::new(&name))? {
        Some(path) if may_make(&path)? => Ok(Some(path)),
        Some(_) | None => Ok(None),
    }
}
// ANCHOR_END: default_path

pub(super) fn is_machines_root() -> bool {
    geteuid().is_root() && in_first_user_namespace()
}

/// Tells whether we may make a cgroup's directories, and move processes from
/// the one above to it.
fn may_make(path: &Path) -> Result<bool> {
    let may_write = |path: &Path| access(path, AccessFlags::W_OK).is_ok();
    Ok(Cgroup::open(path)?.paths().into_iter().all(|dir| {
        let above = dir.ancestors().skip(1).find(|above| above.exists());
        above.is_some_and(|dir| {
            may_write(dir) && may_write(&dir.join("cgroup.procs"))
        })
    }))
}

fn missing_parents(dir: &Path) -> Vec<PathBuf> {
    dir.ancestors()
        .skip(1)
        .take_while(|dir| !dir.exists())
        .map(Path::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroups_path_does_not_lead_out_of_the_hierarchy() {
        let linux: Linux =
            serde_json::from_str(r#"{"cgroupsPath":"/a/../../x"}"#).unwrap();
        let id = Id::parse("a").unwrap();
        assert!(Place::plan(&linux, &id, Manager::Cgroupfs).is_err());
    }
}
