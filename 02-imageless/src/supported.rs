//! What a configuration may ask for and this runtime does not do yet. Asked for
//! and ignored is worse than refused: a container without its label looks
//! like one that has it.

use anyhow::{Result, bail};
use oci_spec::runtime::{Linux, LinuxResources, Process, Spec};
use std::path::Path;

/// A field, and whether a configuration uses it.
type Row<T> = (&'static str, fn(&T) -> bool);

const SPEC: &[Row<Spec>] = &[("linux", |spec| spec.linux().is_none())];

const PROCESS: &[Row<Process>] = &[
    ("process.apparmorProfile", |process| is_set(process.apparmor_profile())),
    ("process.selinuxLabel", |process| is_set(process.selinux_label())),
    ("process.scheduler", |process| process.scheduler().is_some()),
    ("process.ioPriority", |process| process.io_priority().is_some()),
    ("process.execCPUAffinity", |process| {
        process.exec_cpu_affinity().is_some()
    }),
];

const LINUX: &[Row<Linux>] = &[
    // Without SELinux no file has a label that a mount could give it.
    ("linux.mountLabel", |linux| {
        let selinux = Path::new("/sys/fs/selinux/enforce");
        is_set(linux.mount_label()) && selinux.exists()
    }),
    ("linux.intelRdt", |linux| linux.intel_rdt().is_some()),
    ("linux.memoryPolicy", |linux| linux.memory_policy().is_some()),
    ("linux.personality", |linux| linux.personality().is_some()),
    ("linux.timeOffsets", |linux| {
        linux.time_offsets().as_ref().is_some_and(|all| !all.is_empty())
    }),
];

const RESOURCES: &[Row<LinuxResources>] = &[
    ("linux.resources.network", |resources| {
        resources
            .network()
            .as_ref()
            .is_some_and(|net| *net != Default::default())
    }),
    ("linux.resources.rdma", |resources| {
        resources.rdma().as_ref().is_some_and(|all| !all.is_empty())
    }),
];

/// Refuses a configuration that asks for something that would not be done.
///
/// # Errors
/// Names the first such field.
pub(crate) fn check(spec: &Spec) -> Result<()> {
    refuse(SPEC, Some(spec))?;
    spec.process().as_ref().map_or(Ok(()), check_process)?;
    let linux = spec.linux().as_ref();
    refuse(LINUX, linux)?;
    if let Some(linux) = linux {
        check_paths("maskedPaths", linux.masked_paths())?;
        check_paths("readonlyPaths", linux.readonly_paths())?;
    }
    let resources = linux.and_then(|linux| linux.resources().as_ref());
    resources.map_or(Ok(()), check_resources)
}

/// The same for what `update` brings.
pub(crate) fn check_resources(resources: &LinuxResources) -> Result<()> {
    refuse(RESOURCES, Some(resources))
}

/// The same for a process that `exec` brings.
pub(crate) fn check_process(process: &Process) -> Result<()> {
    refuse(PROCESS, Some(process))
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

fn refuse<T>(rows: &[Row<T>], part: Option<&T>) -> Result<()> {
    let Some(part) = part else { return Ok(()) };
    let Some((field, _)) = rows.iter().find(|(_, asked_for)| asked_for(part))
    else {
        return Ok(());
    };
    match *field {
        "linux" => bail!(
            "config.json: linux: missing: only Linux containers are supported"
        ),
        field => bail!(
            "config.json: {field}: not supported yet\nhint: take it out of \
             config.json"
        ),
    }
}

fn is_set(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_would_be_ignored_is_refused_by_its_name() {
        for (json, field) in [
            (
                r#"{"linux":{"personality":{"domain":"LINUX"}}}"#,
                "linux.personality",
            ),
            (
                r#"{"linux":{"resources":{"rdma":{"a":{}}}}}"#,
                "linux.resources.rdma",
            ),
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
