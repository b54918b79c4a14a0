//! `mounts` of config.json: planned by the runtime, which can still name the
//! field that is wrong; done by init, inside the root and by handle. A bind
//! mount has all its attributes before anybody can see it.

mod cgroup;
mod copy_up;
mod entry;
mod explain;
mod idmap;
mod part;

use crate::config::Bundle;
use crate::isolation::Isolation;
use crate::over_proc;
use crate::propagation::is_shared;
use anyhow::{Context, Result};
use idmap::IdMap;
use namespaces::mounts::{DetachedMount, Propagation};
use namespaces::namespace::Namespace;
use namespaces::root::Root;
use nix::errno::Errno;
use nix::unistd::geteuid;
use part::{Part, What};
use std::cell::RefCell;
use std::path::Path;

/// One entry of `mounts`, ready to be done.
#[derive(Debug)]
pub(crate) struct Planned {
    field: String,
    /// Several for cgroup v1, which has a tree for each controller; else one.
    parts: Vec<Part>,
    idmap: Option<IdMap>,
    /// What the runtime has made, who alone may map ids and reach all files.
    made: RefCell<Option<DetachedMount>>,
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
    isolation: &Isolation,
    cgroup: Option<&Path>,
) -> Result<Vec<Planned>> {
    let entries = bundle.spec.mounts().iter().flatten();
    let planned = |(i, entry)| {
        let field = format!("config.json: mounts[{i}]");
        let (parts, idmap) = entry::plan(entry, &bundle.dir, isolation, cgroup)
            .with_context(|| field.clone())?;
        Ok(Planned { field, parts, idmap, made: RefCell::new(None) })
    };
    entries.enumerate().map(planned).collect()
}

impl Planned {
    /// Tells whether it is to show what the host mounts later.
    pub(crate) fn follows_host(&self) -> bool {
        self.has(Propagation::Slave) || self.has(Propagation::Shared)
    }

    fn has(&self, propagation: Propagation) -> bool {
        let has = |part: &Part| {
            part.propagation.iter().any(|(how, _)| *how == propagation)
        };
        self.parts.iter().any(has)
    }

    /// Makes a bind mount private about which nothing is said.
    pub(crate) fn cut_off_if_silent(&mut self) {
        self.parts.iter_mut().for_each(Part::cut_off_if_silent);
    }

    /// Makes what the root of a user namespace has no right to: a mount with
    /// other ids, and one of a file that only the host's root can reach. Runs
    /// in the runtime, before there is an init.
    pub(crate) fn make_outside(&self, isolation: &Isolation) -> Result<()> {
        let [part] = &self.parts[..] else { return Ok(()) };
        let What::Bind { source, reach } = &part.what else { return Ok(()) };
        if self.idmap.is_none() && !out_of_reach(isolation) {
            return Ok(());
        }
        let make = || {
            let mount = DetachedMount::bind(source, *reach)?;
            if let Some(idmap) = &self.idmap {
                idmap.apply(&mount, isolation)?;
            }
            Ok(mount)
        };
        let made = make().map_err(|error| part.explain(error));
        self.made.replace(Some(made.with_context(|| self.field.clone())?));
        Ok(())
    }

    /// Takes a mount that is to be there before the host's are cut off: one that
    /// the runtime has made, or the copy of a shared one while it still is the
    /// host's peer. Runs in init.
    pub(crate) fn hold(&self) -> Result<Option<DetachedMount>> {
        if let Some(made) = self.made.take() {
            return self.nearest(made).map(Some);
        }
        let [Part { what: What::Bind { source, reach }, .. }] = &self.parts[..]
        else {
            return Ok(None);
        };
        if !self.has(Propagation::Shared) {
            return Ok(None);
        }
        let held = match is_shared(source) {
            Ok(false) => return Ok(None),
            Ok(true) => DetachedMount::bind(source, *reach),
            Err(error) => Err(error),
        };
        held.map(Some).with_context(|| self.field.clone())
    }

    /// Takes init's own copy of what init can reach, and the runtime's of the
    /// rest: to its own the kernel lets init set only what the host has not
    /// locked.
    fn nearest(&self, made: DetachedMount) -> Result<DetachedMount> {
        let [Part { what: What::Bind { source, reach }, .. }] = &self.parts[..]
        else {
            return Ok(made);
        };
        if self.idmap.is_some() {
            return Ok(made);
        }
        match DetachedMount::bind(source, *reach) {
            Err(error) if error.errno == Errno::EACCES => Ok(made),
            own => own.with_context(|| self.field.clone()),
        }
    }

    /// Mounts inside the root; `held` is what [`Planned::hold`] gave. Runs in
    /// init.
    pub(crate) fn mount_in(
        &self,
        root: &Root,
        mut held: Option<DetachedMount>,
    ) -> Result<()> {
        if let Some(first) = self.parts.first().and_then(Part::mount) {
            over_proc::check(root, &first)
                .with_context(|| self.field.clone())?;
        }
        for part in &self.parts {
            part.mount_in(root, held.take())
                .map_err(|error| part.explain(error))
                .with_context(|| self.field.clone())?;
        }
        Ok(())
    }
}

/// Tells whether init may be unable to open files that we can: the root of a
/// new user namespace is an ordinary user of the host.
fn out_of_reach(isolation: &Isolation) -> bool {
    isolation.new.contains(Namespace::User) && geteuid().is_root()
}
