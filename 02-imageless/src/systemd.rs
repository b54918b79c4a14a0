//! The other way to a cgroup: where systemd runs, the tree of cgroups is its,
//! and who wants a part of it asks for a *scope*, a unit that systemd gives to
//! processes that it has not started. systemd makes the cgroup, sets the limits
//! that it has words for, and leaves all below to us.

mod bus;
mod devices;
mod properties;
mod unified;

use crate::id::Id;
use anyhow::{Result, bail, ensure};
pub(crate) use bus::{set_properties, start, stop};
pub(crate) use devices::of_devices;
pub(crate) use properties::{Properties, of_limits};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A scope, by its name and the slice that it is in; kept in `state.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scope {
    unit: String,
    slice: String,
}

const FIELD: &str = "config.json: linux.cgroupsPath";

impl Scope {
    /// Finds the scope that `linux.cgroupsPath` names as `SLICE:PREFIX:NAME`,
    /// which is `PREFIX-NAME.scope`; or the default one.
    ///
    /// # Errors
    /// Not of that form, or no name of a unit.
    ///
    /// Source: runc, docs/systemd.md, "Systemd unit name and placement";
    /// systemd.unit(5), "Description"
    pub(crate) fn plan(wanted: Option<&Path>, id: &Id) -> Result<Self> {
        let Some(wanted) = wanted else {
            let unit = format!("imageless-{id}.scope");
            return Self::checked(unit, "system.slice");
        };
        let text = wanted.to_str().unwrap_or_default();
        let parts: Vec<_> = text.split(':').collect();
        let [slice, prefix, name] = parts[..] else {
            bail!(
                "{FIELD}: {wanted:?}: with --systemd-cgroup it is \
                 SLICE:PREFIX:NAME\nhint: system.slice:imageless:{id}"
            );
        };
        let slice = if slice.is_empty() { "system.slice" } else { slice };
        let dash = if prefix.is_empty() { "" } else { "-" };
        Self::checked(format!("{prefix}{dash}{name}.scope"), slice)
    }

    fn checked(unit: String, slice: &str) -> Result<Self> {
        const LONGEST: usize = 255;
        let plain = |c: char| c.is_ascii_alphanumeric() || ":-_.\\".contains(c);
        for name in [&unit, slice] {
            ensure!(
                name.chars().all(plain) && name.len() <= LONGEST,
                "{FIELD}: {name:?} is not the name of a unit"
            );
        }
        let stem = slice.strip_suffix(".slice");
        let parts =
            stem.map(|stem| stem.split('-').all(|part| !part.is_empty()));
        ensure!(
            slice == "-.slice" || parts == Some(true),
            "{FIELD}: {slice:?} is not the name of a slice\nhint: it ends in \
             .slice, and a dash stands between two parts"
        );
        Ok(Self { unit, slice: slice.to_owned() })
    }

    /// The scope's place in the tree. A slice is below those that its name
    /// begins with: `a-b.slice` in `a.slice`.
    ///
    /// Source: systemd.slice(5), "Description"
    // ANCHOR: scope_path
    pub(crate) fn path(&self) -> PathBuf {
        let stem = self.slice.trim_end_matches(".slice");
        let mut path = PathBuf::from("/");
        for (end, _) in stem.match_indices('-').filter(|(at, _)| *at > 0) {
            path.push(format!("{}.slice", &stem[..end]));
        }
        if stem != "-" {
            path.push(&self.slice);
        }
        path.join(&self.unit)
    }
    // ANCHOR_END: scope_path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(wanted: Option<&str>) -> Result<PathBuf> {
        let id = Id::parse("a").unwrap();
        Ok(Scope::plan(wanted.map(Path::new), &id)?.path())
    }

    #[test]
    fn a_scope_is_below_all_slices_that_its_slice_names() {
        for (wanted, expected) in [
            (None, "/system.slice/imageless-a.scope"),
            (Some("machine.slice:libpod:x"), "/machine.slice/libpod-x.scope"),
            (Some("::x"), "/system.slice/x.scope"),
            (Some("-.slice:p:x"), "/p-x.scope"),
            (
                Some("a-b-c.slice:p:x"),
                "/a.slice/a-b.slice/a-b-c.slice/p-x.scope",
            ),
        ] {
            assert_eq!(path(wanted).unwrap(), Path::new(expected));
        }
    }

    #[test]
    fn what_is_no_slice_prefix_and_name_is_refused_with_the_form() {
        for wanted in
            ["/a/b", "a.slice:b", "a:b:c", "a/b.slice:c:d", "a--b.slice:c:d"]
        {
            let error = path(Some(wanted)).unwrap_err().to_string();
            assert!(error.starts_with(FIELD), "{error}");
        }
        let error = path(Some("/a/b")).unwrap_err().to_string();
        assert!(error.contains("hint: system.slice:imageless:a"), "{error}");
    }
}
