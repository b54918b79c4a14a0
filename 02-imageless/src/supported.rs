//! What a configuration may ask for and this runtime does not do, or not on this
//! machine. Asked for and ignored is worse than refused: a container without its
//! label looks like one that has it.

use anyhow::{Result, bail};
use oci_spec::runtime::{Linux, Spec};
use std::path::Path;

/// A field, whether a configuration uses it, and why it cannot be had.
type Row = (&'static str, fn(&Linux) -> bool, &'static str);

const LINUX: &[Row] = &[
    // Without SELinux no file has a label that a mount could give it.
    (
        "linux.mountLabel",
        |linux| {
            let selinux = Path::new("/sys/fs/selinux/enforce");
            is_set(linux.mount_label()) && selinux.exists()
        },
        "not supported yet\nhint: take it out of config.json",
    ),
    (
        "linux.intelRdt",
        |linux| linux.intel_rdt().is_some() && !has_resctrl(),
        "this kernel has no resctrl file system\nhint: it takes a processor \
         with RDT, and a kernel with CONFIG_X86_CPU_RESCTRL",
    ),
    (
        "linux.intelRdt",
        |linux| linux.intel_rdt().is_some(),
        "not supported yet\nhint: take it out of config.json",
    ),
];

/// Refuses a configuration that asks for something that would not be done.
///
/// # Errors
/// Names the first such field.
pub(crate) fn check(spec: &Spec) -> Result<()> {
    let Some(linux) = spec.linux() else {
        bail!(
            "config.json: linux: missing: only Linux containers are supported"
        );
    };
    if let Some((field, _, why)) = LINUX.iter().find(|(_, asks, _)| asks(linux))
    {
        bail!("config.json: {field}: {why}");
    }
    check_paths("maskedPaths", linux.masked_paths())?;
    check_paths("readonlyPaths", linux.readonly_paths())
}

/// What is not there needs no hiding, so that a path which cannot be meant
/// would hide nothing and nobody would know.
fn check_paths(field: &str, paths: &Option<Vec<String>>) -> Result<()> {
    for (i, path) in paths.iter().flatten().enumerate() {
        if !path.starts_with('/') {
            bail!(
                "config.json: linux.{field}[{i}]: {path:?} is not an absolute \
                 path"
            );
        }
    }
    Ok(())
}

fn is_set(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

/// Its directory for the mount is there as soon as the kernel has it.
///
/// Source: Documentation/filesystems/resctrl.rst
fn has_resctrl() -> bool {
    Path::new("/sys/fs/resctrl").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_would_be_ignored_is_refused_by_its_name() {
        for (json, field) in [
            (r#"{"linux":{"intelRdt":{}}}"#, "linux.intelRdt"),
            (r#"{}"#, "linux"),
            (r#"{"linux":{"maskedPaths":["/a",""]}}"#, "linux.maskedPaths[1]"),
            (
                r#"{"linux":{"readonlyPaths":["proc/sys"]}}"#,
                "linux.readonlyPaths[0]",
            ),
        ] {
            let error = check(&serde_json::from_str(json).unwrap())
                .expect_err(json)
                .to_string();
            assert!(
                error.starts_with(&format!("config.json: {field}: ")),
                "{error}"
            );
        }
    }

    #[test]
    fn an_empty_field_asks_for_nothing() {
        let json = r#"{"linux":{"mountLabel":"","resources":{"rdma":{}}}}"#;
        check(&serde_json::from_str(json).unwrap()).unwrap();
    }
}
