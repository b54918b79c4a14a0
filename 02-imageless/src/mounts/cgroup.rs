//! The cgroup file system of a container: shows it its own cgroup where programs
//! look for all of them. By bind mounts, because they work with and without a
//! cgroup namespace: v2 has one tree; v1 gets a small tmpfs with a directory for
//! each hierarchy.

use super::part::{Part, What};
use crate::mount_options::Options;
use anyhow::Result;
use namespaces::cgroup::{Cgroup, Version};
use namespaces::mounts::{Mount, MountAttrFlags, Reach};
use nix::mount::MsFlags;
use std::path::{Path, PathBuf};

/// Plans the mounts, below `target`; without a cgroup an empty directory, which
/// stays so: the caller's is not for the container (CVE-2023-25809).
pub(super) fn plan(
    target: &Path,
    options: &Options,
    cgroup: Option<&Path>,
) -> Result<Vec<Part>> {
    let Some(cgroup) = cgroup else {
        let flags = options.flags() | MsFlags::MS_RDONLY;
        return Ok(vec![small_tmpfs(target, flags, options)]);
    };
    let own = Cgroup::with_systemds(cgroup)?;
    let dirs = own.paths();
    let bind = |source: &Path, target: PathBuf| {
        let (source, reach) = (source.to_owned(), Reach::AllBelow);
        Part::new(&target, What::Bind { source, reach }, options)
    };
    if own.version() == Version::V2 {
        let binds = dirs.iter().map(|dir| bind(dir, target.to_owned()));
        return Ok(binds.collect());
    }
    let flags = options.flags() - MsFlags::MS_RDONLY;
    let mut parts = vec![small_tmpfs(target, flags, options)];
    for dir in dirs.iter() {
        let hierarchy = hierarchy(dir, cgroup);
        parts.push(bind(dir, target.join(hierarchy)));
        parts.extend(links(hierarchy, target, options));
    }
    parts.extend(close(target, options));
    Ok(parts)
}

fn small_tmpfs(target: &Path, flags: MsFlags, options: &Options) -> Part {
    let tmpfs = Mount::new("tmpfs", target)
        .with_flags(flags)
        .with_data("mode=755,size=64k");
    Part::new(target, What::New(tmpfs), options)
}

/// Each controller of `cpu,cpuacct` is found by its own name too.
fn links(hierarchy: &Path, target: &Path, options: &Options) -> Vec<Part> {
    let names = hierarchy.to_str().unwrap_or_default();
    let names = names.split(',').filter(|name| *name != names);
    let link = |name| {
        let to = What::Link(hierarchy.to_owned());
        Part::new(&target.join(name), to, options)
    };
    names.map(link).collect()
}

/// Only after the others were mounted in it.
fn close(target: &Path, options: &Options) -> Option<Part> {
    let read_only = MountAttrFlags::MOUNT_ATTR_RDONLY;
    let is_read_only = options.this.set.contains(read_only);
    let close = || Part::new(target, What::Change, options);
    is_read_only.then(close)
}

/// The name of the hierarchy that a cgroup's directory is in: `cpu,cpuacct` of
/// `/sys/fs/cgroup/cpu,cpuacct/my/group`.
fn hierarchy<'a>(dir: &'a Path, cgroup: &Path) -> &'a Path {
    let depth = cgroup.components().count() - 1;
    let hierarchy = dir.ancestors().nth(depth).and_then(Path::file_name);
    Path::new(
        hierarchy.expect("the directory of a cgroup ends in the cgroup's path"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hierarchy_is_named_by_its_directory() {
        let dir = Path::new("/sys/fs/cgroup/cpu,cpuacct/a/b");
        assert_eq!(hierarchy(dir, Path::new("/a/b")), Path::new("cpu,cpuacct"));
    }

    #[test]
    fn controllers_that_share_a_hierarchy_are_found_by_their_own_names() {
        let options = Options::parse(&[]);
        let links = |name| links(Path::new(name), Path::new("/c"), &options);
        let both = links("cpu,cpuacct");
        let targets: Vec<_> = both.iter().map(|link| &*link.target).collect();
        assert_eq!(targets, [Path::new("/c/cpu"), Path::new("/c/cpuacct")]);
        assert!(links("memory").is_empty());
    }
}
