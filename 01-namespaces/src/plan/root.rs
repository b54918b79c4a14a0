//! Plans the root file system: which directory becomes `/`, and what is mounted
//! in it, in an order in which nothing uncovers what was hidden.

use super::standard_streams;
use crate::cli::RootOptions;
use crate::step::{Base, BindStep, NewRoot, RootStep, TmpfsStep};
use anyhow::Result;
use namespaces::mounts::default_mounts;
use namespaces::namespace::Namespaces;
use namespaces::rootfs::{
    DEFAULT_DEVICES, DEV_LINKS, MASKED_PATHS, READ_ONLY_PATHS,
};
use namespaces::{InCall, SyscallError};
use nix::errno::Errno;
use std::path::Path;

/// Plans the root in `dir`.
pub(super) fn plan(
    dir: &Path,
    options: &RootOptions,
    namespaces: Namespaces,
) -> Result<NewRoot> {
    standard_streams::refuse_ways_out()?;
    let dir = dir.canonicalize().in_call(|| format!("realpath({dir:?})"));
    let dir = dir.map_err(explain)?;
    let base = match (options.overlay, options.read_only) {
        (true, _) => Base::Overlay,
        (false, true) => Base::BindReadOnlyBelow,
        (false, false) => Base::Bind,
    };
    let steps = from_kernel(namespaces)
        .chain(asked_for(options)?)
        // What hides comes after what it hides.
        .chain(protection())
        .chain(options.read_only.then_some(RootStep::ReadOnlyRoot))
        .collect();
    Ok(NewRoot { dir, base, steps })
}

fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::ENOENT => error.hint(
            "DIR has to be there, with the files in it that are to be the \
             command's",
        ),
        _ => error,
    }
}

fn from_kernel(namespaces: Namespaces) -> impl Iterator<Item = RootStep> {
    let mounts = default_mounts(namespaces).into_iter().map(RootStep::Mount);
    let devices = DEFAULT_DEVICES.iter();
    let devices =
        devices.map(move |device| RootStep::Device(device, namespaces));
    let links = DEV_LINKS.into_iter().map(|(to, at)| RootStep::Link(to, at));
    mounts.chain(devices).chain(links)
}

/// The tmpfs first, so that something can be bound in one.
fn asked_for(options: &RootOptions) -> Result<Vec<RootStep>> {
    let tmpfs = options.tmpfs.iter().map(TmpfsStep::new);
    let tmpfs = tmpfs.map(|step| Ok(RootStep::Tmpfs(step)));
    let binds = options.bind.iter().map(BindStep::new);
    let binds = binds.map(|step| step.map(RootStep::Bind));
    tmpfs.chain(binds).collect()
}

fn protection() -> impl Iterator<Item = RootStep> {
    let masks = MASKED_PATHS.into_iter().map(RootStep::Mask);
    masks.chain(READ_ONLY_PATHS.into_iter().map(RootStep::ReadOnly))
}
