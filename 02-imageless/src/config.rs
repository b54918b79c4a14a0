//! Reads `config.json`. Its shape is the runtime-spec's (crate `oci-spec`);
//! what is ours is that an error names the field, or the line and column, so
//! that nobody has to bisect a file of 300 lines.

use crate::spelling::respell;
use crate::{hooks, located, user};
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use oci_spec::runtime::{LinuxResources, Process, Spec};
use serde::de::DeserializeOwned;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A bundle, read once: what is edited afterwards has no effect on the
/// container.
#[derive(Debug)]
pub(crate) struct Bundle {
    /// Absolute, without symbolic links.
    pub(crate) dir: PathBuf,
    /// `root.path`, absolute, without symbolic links.
    pub(crate) rootfs: PathBuf,
    /// `config.json`.
    pub(crate) spec: Spec,
}

impl Bundle {
    /// Reads and checks a bundle's `config.json` and finds its root filesystem.
    ///
    /// # Errors
    /// Of one line, which names the file, and the field where there is one.
    ///
    /// Source: runtime-spec: bundle.md, config.md
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let dir = dir
            .canonicalize()
            .in_call(|| format!("open({dir:?}, O_DIRECTORY)"))
            .context("--bundle")?;
        Self::new(&dir, read(&dir.join("config.json"))?)
    }

    /// Finds the root filesystem of a bundle whose `config.json` is read.
    ///
    /// # Errors
    /// `root` is missing, or no directory.
    ///
    /// Source: runtime-spec: config.md, "Root"
    pub(crate) fn new(dir: &Path, spec: Spec) -> Result<Self> {
        let root =
            spec.root().as_ref().context("config.json: root: missing")?;
        if root.path().as_os_str().is_empty() {
            bail!("config.json: root.path: missing");
        }
        let rootfs = dir.join(root.path());
        let rootfs = rootfs
            .canonicalize()
            .in_call(|| format!("open({rootfs:?}, O_DIRECTORY)"))
            .context("config.json: root.path")?;
        if !rootfs.is_dir() {
            bail!("config.json: root.path: {rootfs:?}: not a directory");
        }
        Ok(Self { dir: dir.to_owned(), rootfs, spec })
    }

    /// The container process' settings; [`Bundle::open`] has checked that they
    /// are there.
    pub(crate) fn process(&self) -> &Process {
        self.spec.process().as_ref().expect(CHECKED)
    }

    /// The same, to be changed.
    pub(crate) fn process_mut(&mut self) -> &mut Process {
        self.spec.process_mut().as_mut().expect(CHECKED)
    }
}

const CHECKED: &str = "Bundle::open refuses a config without process";

fn read(path: &Path) -> Result<Spec> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == ErrorKind::NotFound => bail!(
            "{}: no such file\nhint: `imageless spec` or `imageless bundle` \
             writes one",
            path.display()
        ),
        result => result.in_call(|| format!("read({path:?})"))?,
    };
    parse_spec(&text)
}

/// Reads and checks the text of a `config.json`.
///
/// # Errors
/// As of [`Bundle::open`].
///
/// Source: runtime-spec: config.md
pub(crate) fn parse_spec(text: &[u8]) -> Result<Spec> {
    let spec = parse(text).context("config.json")?;
    check(&spec).context("config.json")?;
    Ok(spec)
}

/// Reads a type out of a text: a fault of the JSON is told by line and column,
/// one of a value by its field.
fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let mut json = serde_json::from_slice(text)?;
    respell(&mut json);
    Ok(located::read(&json)?)
}

/// Reads the file that `exec --process` names.
///
/// # Errors
/// Names the field.
///
/// Source: runtime-spec: config.md, "Process"
pub(crate) fn parse_process(text: &[u8]) -> Result<Process> {
    let process = parse(text)?;
    check_process(&process)?;
    Ok(process)
}

/// Reads what `update --resources` names.
///
/// # Errors
/// Names the field.
///
/// Source: runtime-spec: config-linux.md, "Control groups"
pub(crate) fn parse_resources(text: &[u8]) -> Result<LinuxResources> {
    parse(text).context("--resources")
}

/// Checks what the types cannot say: fields that are optional for the parser
/// and required for a container.
fn check(spec: &Spec) -> Result<()> {
    if !spec.version().starts_with("1.") {
        bail!("ociVersion: {:?} is not a version 1.x", spec.version());
    }
    let process = spec.process().as_ref().context("process: missing")?;
    check_process(process)?;
    hooks::check(spec)
}

/// Checks what a process needs, in the words of config.json.
pub(crate) fn check_process(process: &Process) -> Result<()> {
    if process.args().as_ref().is_none_or(Vec::is_empty) {
        bail!("process.args: missing or empty");
    }
    user::check(process.user())?;
    if !process.cwd().is_absolute() {
        bail!("process.cwd: {:?} is not an absolute path", process.cwd());
    }
    for (i, variable) in process.env().iter().flatten().enumerate() {
        if !variable.contains('=') || variable.starts_with('=') {
            bail!("process.env[{i}]: {variable:?} is not NAME=value");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        let checked = parse(text.as_bytes())
            .and_then(|spec| check(&spec))
            .context("config.json");
        format!("{:#}", checked.expect_err(text))
    }

    #[test]
    fn broken_json_is_reported_with_line_and_column() {
        assert_eq!(
            error_of("{\n \"a\": ]"),
            "config.json: expected value at line 2 column 7"
        );
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_counts_as_in_go() {
        let text = br#"{"ociVersion":"1.0.0","hostname":"a","hostname":"b"}"#;
        let spec: Spec = parse(text).expect("the text is right");
        assert_eq!(spec.hostname().as_deref(), Some("b"));
    }

    #[test]
    fn a_wrong_type_names_the_field() {
        let error = error_of(
            r#"{"ociVersion":"1.0.0","process":{"user":{},"cwd":"/","args":"sh"}}"#,
        );
        assert!(
            error
                .starts_with("config.json: process.args: invalid type: string"),
            "{error}"
        );
    }

    #[test]
    fn what_a_container_needs_is_required() {
        for (text, start) in [
            (r#"{"ociVersion":"2.0.0"}"#, "config.json: ociVersion: \"2.0.0\""),
            (r#"{"ociVersion":"1.0.0"}"#, "config.json: process: missing"),
            (
                r#"{"ociVersion":"1.0.0","process":{"user":{},"cwd":"/","args":[]}}"#,
                "config.json: process.args:",
            ),
            (
                r#"{"ociVersion":"1.0.0","process":{"user":{},"cwd":"x","args":["a"]}}"#,
                "config.json: process.cwd:",
            ),
            (
                r#"{"ociVersion":"1.0.0","process":{"user":{},"cwd":"/","args":["a"],"env":["A"]}}"#,
                "config.json: process.env[0]:",
            ),
        ] {
            let error = error_of(text);
            assert!(error.starts_with(start), "{error}");
        }
    }
}
