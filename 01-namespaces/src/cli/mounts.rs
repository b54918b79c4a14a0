//! The words of `--bind` and `--tmpfs`: `SRC:DST:ro`, as docker and podman
//! write them.

use anyhow::{Result, bail, ensure};
use std::path::{Component, Path, PathBuf};

/// One `--bind`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BindOption {
    /// A file or directory of the host.
    pub(crate) source: PathBuf,
    /// Where it is inside.
    pub(crate) target: PathBuf,
    pub(crate) read_only: bool,
    pub(crate) idmap: bool,
}

/// One `--tmpfs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TmpfsOption {
    /// Where it is inside.
    pub(crate) target: PathBuf,
    /// Options of tmpfs(5): `size=64M,mode=755`.
    pub(crate) options: String,
}

/// Reads a `--bind`.
pub(crate) fn bind(text: &str) -> Result<BindOption> {
    let mut words = text.split(':');
    let (Some(source), Some(at)) = (words.next(), words.next()) else {
        bail!("not SRC:DST");
    };
    ensure!(!source.is_empty(), "SRC is empty");
    let (source, target) = (PathBuf::from(source), target(at)?);
    let mut option = BindOption { source, target, ..BindOption::default() };
    for word in words {
        match word {
            "ro" => option.read_only = true,
            "idmap" => option.idmap = true,
            _ => bail!("{word:?} is not ro or idmap"),
        }
    }
    Ok(option)
}

/// Reads a `--tmpfs`.
pub(crate) fn tmpfs(text: &str) -> Result<TmpfsOption> {
    let (at, options) = text.split_once(':').unwrap_or((text, ""));
    Ok(TmpfsOption { target: target(at)?, options: options.to_owned() })
}

fn target(text: &str) -> Result<PathBuf> {
    let path = Path::new(text);
    ensure!(path.is_absolute(), "DST {text:?} is not an absolute path");
    let is_name = |part| matches!(part, Component::Normal(_));
    ensure!(path.components().any(is_name), "DST is the root itself");
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bind_is_read_with_its_words_in_any_order() {
        for text in ["a:/b:ro:idmap", "a:/b:idmap:ro"] {
            let expected = BindOption {
                source: "a".into(),
                target: "/b".into(),
                read_only: true,
                idmap: true,
            };
            assert_eq!(bind(text).unwrap(), expected);
        }
        assert!(!bind("a:/b").unwrap().read_only);
    }

    #[test]
    fn what_is_no_mount_is_refused() {
        for text in ["", "a", "a:b", ":/b", "a:/", "a:/b:rw2", "a:/b:", "a:/.."]
        {
            assert!(bind(text).is_err(), "{text:?}");
        }
        for text in ["", "b", "/", "b:size=1M"] {
            assert!(tmpfs(text).is_err(), "{text:?}");
        }
    }
}
