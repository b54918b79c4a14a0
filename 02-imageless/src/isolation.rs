//! `linux.namespaces`: which namespaces the container gets for itself and which
//! it shares by path.

use crate::clocks;
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::idmap::{self, IdMapping, IdMaps};
use namespaces::namespace::{Namespace, NamespaceId, Namespaces, setns};
use namespaces::time::ClockOffsets;
use nix::libc::O_NONBLOCK;
use nix::sys::stat::fstat;
use nix::unistd::geteuid;
use oci_spec::runtime::{Linux, LinuxIdMapping, LinuxNamespaceType as Type};
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// What the configuration asks for.
#[derive(Debug)]
pub(crate) struct Isolation {
    /// Made anew.
    pub(crate) new: Namespaces,
    /// Shared with whoever holds them already, in the order in which to join.
    pub(crate) join: Vec<Join>,
    /// For a new user namespace.
    pub(crate) maps: IdMaps,
    /// For a new time namespace whose clocks are not the machine's.
    clocks: Option<ClockOffsets>,
    /// Made by an ordinary user, who has no rights outside of it.
    by_user: bool,
}

/// An existing namespace, opened by the runtime: its path means nothing inside
/// the container.
#[derive(Debug)]
pub(crate) struct Join {
    namespace: Namespace,
    field: String,
    path: PathBuf,
    file: File,
}

/// Translates `linux.namespaces` and the id maps.
///
/// # Errors
/// A type that is there twice, a path that cannot be opened, no mount
/// namespace or the runtime's own, maps without a user namespace or the reverse.
///
/// Source: runtime-spec: config-linux.md, "Namespaces", "User namespace
/// mappings"
pub(crate) fn plan(linux: &Linux) -> Result<Isolation> {
    let mut new = Namespaces::NONE;
    let mut join: Vec<Join> = Vec::new();
    for (i, entry) in linux.namespaces().iter().flatten().enumerate() {
        let namespace = namespace(entry.typ());
        if new.contains(namespace)
            || join.iter().any(|join| join.namespace == namespace)
        {
            bail!(
                "config.json: linux.namespaces[{i}].type: {} is there twice",
                entry.typ()
            );
        }
        match entry.path().as_ref().filter(|path| !path.as_os_str().is_empty())
        {
            None => new.insert(namespace),
            Some(path) => join.push(Join::open(namespace, i, path.clone())?),
        }
    }
    let joins_mounts =
        join.iter().any(|join| join.namespace == Namespace::Mount);
    if !new.contains(Namespace::Mount) && !joins_mounts {
        bail!(
            "config.json: linux.namespaces: a new mount namespace is \
             missing: the mounts would be the host's"
        );
    }
    join.sort_by_key(|join| join.namespace);
    let maps = IdMaps {
        uids: mappings(linux.uid_mappings()),
        gids: mappings(linux.gid_mappings()),
    };
    check_maps(new, &maps)?;
    let clocks = clocks::plan(linux, new)?;
    let by_user = !geteuid().is_root();
    Ok(Isolation { new, join, maps, clocks, by_user })
}

fn check_maps(new: Namespaces, maps: &IdMaps) -> Result<()> {
    for (field, map) in
        [("uidMappings", &maps.uids), ("gidMappings", &maps.gids)]
    {
        match (new.contains(Namespace::User), map.is_empty()) {
            (true, true) => bail!(
                "config.json: linux.{field}: missing: a user namespace \
                 without a map has no users"
            ),
            (false, false) => bail!(
                "config.json: linux.{field}: without a new user namespace \
                 there is nothing to map"
            ),
            (true, false) | (false, true) => {}
        }
        if let Some(fault) = idmap::fault(map) {
            bail!("config.json: linux.{field}: {fault}");
        }
    }
    Ok(())
}

impl Isolation {
    /// All namespaces that are not the host's: new ones and joined ones.
    pub(crate) fn own(&self) -> Namespaces {
        self.new
            .iter()
            .chain(self.join.iter().map(|join| join.namespace))
            .collect()
    }

    /// Gives an existing namespace that the container joins.
    pub(crate) fn joined(&self, kind: Namespace) -> Option<BorrowedFd<'_>> {
        let mut joined = self.join.iter();
        let join = joined.find(|join| join.namespace == kind)?;
        Some(join.file.as_fd())
    }

    /// Tells whether init, while it waits for `start`, lets those look into it
    /// who have its user and its rights: by nothing else may an ordinary user's
    /// `exec` join it. Not where others than the container's own could, too.
    pub(crate) fn lets_its_user_in(&self) -> bool {
        self.by_user
            && self.join.is_empty()
            && self.new.contains(Namespace::Pid)
    }

    /// What init is born into. Not the cgroup namespace: init enters that after
    /// its cgroup. Nor a time namespace with clocks to set: they cannot be set
    /// under a process.
    pub(crate) fn for_clone(&self) -> Namespaces {
        let mut namespaces = self.new;
        namespaces.remove(Namespace::Cgroup);
        if self.clocks.is_some() {
            namespaces.remove(Namespace::Time);
        }
        namespaces
    }

    /// Makes and enters that one. Runs in init, as root of the user namespace
    /// that is to own it, through the host's /proc.
    pub(crate) fn set_clocks(&self) -> Result<()> {
        let Some(clocks) = self.clocks else { return Ok(()) };
        clocks.unshare().context("config.json: linux.timeOffsets")
    }

    /// Joins a pid namespace, which takes in only children: so the *runtime*
    /// does it, before it makes init.
    pub(crate) fn join_for_children(&self) -> Result<()> {
        self.join
            .iter()
            .filter(|join| join.takes_children())
            .try_for_each(Join::enter)
    }

    /// Joins the others. Runs in init.
    pub(crate) fn join(&self) -> Result<()> {
        self.join
            .iter()
            .filter(|join| !join.takes_children())
            .try_for_each(Join::enter)
    }
}

impl Join {
    fn open(namespace: Namespace, i: usize, path: PathBuf) -> Result<Self> {
        let field = format!("config.json: linux.namespaces[{i}].path");
        // A FIFO, which is no namespace, must not make us wait for a writer.
        let mut open = OpenOptions::new();
        let file = open
            .read(true)
            .custom_flags(O_NONBLOCK)
            .open(&path)
            .in_call(|| format!("open({path:?})"))
            .with_context(|| field.clone())?;
        if namespace == Namespace::Mount && is_our_mount_namespace(&file)? {
            bail!(
                "{field}: {path:?} is the runtime's own mount namespace: the \
                 mounts would be the host's\nhint: leave the path out"
            );
        }
        Ok(Self { namespace, field, path, file })
    }

    fn takes_children(&self) -> bool {
        matches!(self.namespace, Namespace::Pid | Namespace::Time)
    }

    fn enter(&self) -> Result<()> {
        setns(self.file.as_fd(), self.namespace)
            .with_context(|| format!("{}: {:?}", self.field, self.path))
    }
}

/// In there, changing the root would change it for the whole machine.
fn is_our_mount_namespace(file: &File) -> Result<bool> {
    let id = NamespaceId::from(fstat(file).in_call(|| "fstat(..)".into())?);
    Ok(id == NamespaceId::of("self", Namespace::Mount)?)
}

fn namespace(typ: Type) -> Namespace {
    match typ {
        Type::Mount => Namespace::Mount,
        Type::Cgroup => Namespace::Cgroup,
        Type::Uts => Namespace::Uts,
        Type::Ipc => Namespace::Ipc,
        Type::User => Namespace::User,
        Type::Pid => Namespace::Pid,
        Type::Network => Namespace::Net,
        Type::Time => Namespace::Time,
    }
}

/// Translates an id map, of the container or of a mount.
pub(crate) fn mappings(config: &Option<Vec<LinuxIdMapping>>) -> Vec<IdMapping> {
    let mapping = |m: &LinuxIdMapping| IdMapping {
        inside: m.container_id(),
        outside: m.host_id(),
        count: m.size(),
    };
    config.iter().flatten().map(mapping).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(linux: &str) -> String {
        let refused = plan(&serde_json::from_str(linux).unwrap());
        format!("{:#}", refused.expect_err(linux))
    }

    #[test]
    fn a_bad_set_of_namespaces_names_the_field() {
        for (linux, start) in [
            (
                r#"{"namespaces":[{"type":"uts"},{"type":"uts"}]}"#,
                "config.json: linux.namespaces[1].type: uts",
            ),
            (
                r#"{"namespaces":[{"type":"uts"}]}"#,
                "config.json: linux.namespaces: a new mount",
            ),
            (
                r#"{"namespaces":[{"type":"ipc","path":"/nowhere"}]}"#,
                "config.json: linux.namespaces[0].path: open(\"/nowhere\") =",
            ),
            (
                r#"{"namespaces":[{"type":"mount","path":"/proc/self/ns/mnt"}]}"#,
                "config.json: linux.namespaces[0].path: \"/proc/self/ns/mnt\" is",
            ),
            (
                r#"{"namespaces":[{"type":"mount"},{"type":"user"}]}"#,
                "config.json: linux.uidMappings: missing",
            ),
            (
                r#"{"namespaces":[{"type":"mount"}],"gidMappings":[{"hostID":1,"containerID":0,"size":1}]}"#,
                "config.json: linux.gidMappings: without",
            ),
        ] {
            let error = error_of(linux);
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn a_waiting_init_lets_in_only_who_has_made_a_container_of_its_own() {
        let lets_in = |namespaces: &str, by_user| {
            let json = format!(r#"{{"namespaces":[{namespaces}]}}"#);
            let isolation = plan(&serde_json::from_str(&json).unwrap());
            Isolation { by_user, ..isolation.unwrap() }.lets_its_user_in()
        };
        let own = r#"{"type":"mount"},{"type":"pid"}"#;
        let shared = r#"{"type":"uts","path":"/proc/self/ns/uts"}"#;
        assert!(lets_in(own, true));
        assert!(!lets_in(own, false));
        assert!(!lets_in(r#"{"type":"mount"}"#, true));
        assert!(!lets_in(&format!("{own},{shared}"), true));
    }

    #[test]
    fn an_empty_path_means_a_new_namespace() {
        let linux = r#"{"namespaces":[{"type":"mount","path":""}]}"#;
        let isolation = plan(&serde_json::from_str(linux).unwrap()).unwrap();
        assert!(
            isolation.new.contains(Namespace::Mount)
                && isolation.join.is_empty()
        );
    }
}
