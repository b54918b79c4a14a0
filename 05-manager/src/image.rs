//! Images, as far as there are any: `rootfs:/abs/path` names a directory of
//! this machine as the root file system of a container. It stands where CRI
//! puts an image reference, and needs neither a pull nor a registry.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::cri::ContainerConfig;
use crate::error::{Error, Result, failed};

/// What an image-less reference begins with.
const SCHEME: &str = "rootfs:";

/// Returns the directory that `rootfs:/abs/path` names, without symbolic links:
/// runtimes refuse a root that is one.
///
/// # Errors
/// [`Error::Invalid`]: another kind of reference, a relative path, or no
/// directory there.
pub fn rootfs(reference: &str) -> Result<PathBuf> {
    let refuse = |why: &str| {
        Error::Invalid(format!(
            "image {reference:?}: {why}\n\
             hint: name a directory: rootfs:/abs/path"
        ))
    };
    let Some(path) = reference.strip_prefix(SCHEME) else {
        return Err(refuse("images are not supported yet"));
    };
    if !path.starts_with('/') {
        return Err(refuse("the path is not absolute"));
    }
    let path = std::fs::canonicalize(path).map_err(|error| {
        refuse(&failed(format!("realpath({path:?})"))(error).to_string())
    })?;
    if !path.is_dir() {
        return Err(refuse("not a directory"));
    }
    Ok(path)
}

/// Returns the image reference of a request.
#[must_use]
pub fn reference(config: &ContainerConfig) -> String {
    config.image.as_ref().map(|image| image.image.clone()).unwrap_or_default()
}

/// Bytes and inodes below a directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Disk space, in bytes.
    pub bytes: u64,
    /// Files, directories and links.
    pub inodes: u64,
}

/// Counts what lies below `dir` on its own file system; what vanishes meanwhile
/// does not count.
///
/// Source: stat(2), st_blocks counts 512 bytes each, whatever the file system's
/// block size
#[must_use]
pub fn usage(dir: &Path) -> Usage {
    let mut sum = Usage::default();
    let Ok(top) = std::fs::symlink_metadata(dir) else { return sum };
    let mut todo = vec![dir.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            sum.bytes += meta.blocks() * 512;
            sum.inodes += 1;
            if meta.is_dir() && meta.dev() == top.dev() {
                todo.push(entry.path());
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rootfs_reference_names_a_directory_behind_all_links() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("link"))
            .unwrap();
        let reference = format!("rootfs:{}/link", dir.path().display());
        assert_eq!(
            rootfs(&reference).unwrap(),
            dir.path().canonicalize().unwrap()
        );
    }

    #[test]
    fn other_references_are_refused_with_the_reason() {
        let cases = [
            ("busybox", "images are not supported yet"),
            ("rootfs:etc", "the path is not absolute"),
            (
                "rootfs:/no/where",
                "realpath(\"/no/where\") = ENOENT: No such file or directory",
            ),
            ("rootfs:/etc/passwd", "not a directory"),
        ];
        for (reference, why) in cases {
            let error = rootfs(reference).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("image {reference:?}: {why}\n")),
                "{error}"
            );
        }
    }

    #[test]
    fn usage_counts_each_entry_below() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        std::fs::write(dir.path().join("sub/file"), [1; 10_000]).unwrap();
        let usage = usage(dir.path());
        assert_eq!(usage.inodes, 2);
        assert!(usage.bytes >= 10_000, "{usage:?}");
    }
}
