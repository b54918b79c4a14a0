//! `process.apparmorProfile` and `process.selinuxLabel`: what a security module
//! of the kernel is told to put on the program at its execve(2). It is told by a
//! write to a file of /proc, so the file has to be one: whoever could mount
//! something in its place would have a container without its label
//! (CVE-2019-16884, CVE-2025-52881).

use anyhow::{Context, Result, bail};
use namespaces::InCall;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use oci_spec::runtime::Process;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A security module of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Module {
    AppArmor,
    Selinux,
}

/// What is written for the next execve(2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    module: Module,
    value: String,
}

/// Translates both fields. An empty text asks for nothing, and so does the
/// profile `unconfined` where there is no AppArmor.
///
/// # Errors
/// Names the field whose module the kernel does not have: what cannot be
/// labelled must not run as if it were.
///
/// Source: runtime-spec: config.md, "Linux Process"
pub(crate) fn plan(process: &Process) -> Result<Vec<Label>> {
    plan_with(process, Module::is_enabled)
}

fn plan_with(
    process: &Process,
    is_enabled: impl Fn(Module) -> bool,
) -> Result<Vec<Label>> {
    let asked = [
        (Module::AppArmor, process.apparmor_profile()),
        (Module::Selinux, process.selinux_label()),
    ];
    let mut labels = Vec::new();
    for (module, value) in asked {
        let value = value.as_deref().unwrap_or_default();
        if value.is_empty() {
            continue;
        }
        if !is_enabled(module) {
            if (module, value) == (Module::AppArmor, "unconfined") {
                continue;
            }
            let (field, name) = (module.field(), module.name());
            bail!(
                "{field}: {value:?}: this kernel runs without {name}\nhint: \
                 take it out of config.json, or boot with {name}"
            );
        }
        labels.push(Label { module, value: value.to_owned() });
    }
    Ok(labels)
}

impl Module {
    fn field(self) -> &'static str {
        match self {
            Self::AppArmor => "config.json: process.apparmorProfile",
            Self::Selinux => "config.json: process.selinuxLabel",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::AppArmor => "AppArmor",
            Self::Selinux => "SELinux",
        }
    }

    /// SELinux can be built in and off: then its file system is not there.
    fn is_enabled(self) -> bool {
        match self {
            Self::AppArmor => {
                fs::read("/sys/module/apparmor/parameters/enabled")
                    .is_ok_and(|text| text.starts_with(b"Y"))
            }
            Self::Selinux => Path::new("/sys/fs/selinux/enforce").exists(),
        }
    }

    /// Below /proc, the first that is there: AppArmor has a directory of its own
    /// since Linux 5.8 (2020-08), and before it the file that all modules share.
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::AppArmor => {
                &["thread-self/attr/apparmor/exec", "thread-self/attr/exec"]
            }
            Self::Selinux => &["thread-self/attr/exec"],
        }
    }
}

impl Label {
    /// AppArmor takes a command, SELinux the label itself.
    fn text(&self) -> String {
        match self.module {
            Module::AppArmor => format!("exec {}", self.value),
            Module::Selinux => self.value.clone(),
        }
    }
}

/// The host's /proc, opened while it is in sight.
#[derive(Debug)]
pub(crate) struct Proc(OwnedFd);

impl Proc {
    /// Opens it, if there are labels to write.
    ///
    /// # Errors
    /// What is mounted there is no procfs.
    pub(crate) fn for_labels(labels: &[Label]) -> Result<Option<Self>> {
        if labels.is_empty() {
            return Ok(None);
        }
        Self::open(Path::new("/proc")).map(Some)
    }

    fn open(path: &Path) -> Result<Self> {
        let how = OpenHow::new().flags(OFlag::O_DIRECTORY | OFlag::O_CLOEXEC);
        let proc = openat2(AT_FDCWD, path, how)
            .in_call(|| format!("openat2({path:?})"))?;
        let kind = fstatfs(&proc).in_call(|| format!("fstatfs({path:?})"))?;
        if kind.filesystem_type() != PROC_SUPER_MAGIC {
            bail!(
                "{path:?} is not procfs: a label written there would be lost"
            );
        }
        Ok(Self(proc))
    }

    /// Writes the labels, for the next execve(2) of this thread. Runs in the
    /// process, before its rights change: the kernel wants the writer to have
    /// those of the opener.
    ///
    /// # Errors
    /// EXDEV: something is mounted over the file. ENOENT: AppArmor does not know
    /// the profile. EINVAL: not a label of SELinux's policy.
    ///
    /// Source: proc_pid_attr(5); openat2(2), `RESOLVE_NO_XDEV`, "Linux 5.6
    /// (2020-03)"
    pub(crate) fn write(&self, labels: &[Label]) -> Result<()> {
        labels.iter().try_for_each(|label| {
            self.write_one(label).context(label.module.field())
        })
    }

    fn write_one(&self, label: &Label) -> Result<()> {
        let (file, mut writer) = self.open_first(label.module.files())?;
        let text = label.text();
        writer
            .write_all(text.as_bytes())
            .in_call(|| format!("write(\"/proc/{file}\", {text:?})"))?;
        Ok(())
    }

    fn open_first<'a>(&self, files: &[&'a str]) -> Result<(&'a str, File)> {
        let how =
            OpenHow::new().flags(OFlag::O_WRONLY | OFlag::O_CLOEXEC).resolve(
                ResolveFlag::RESOLVE_BENEATH
                    | ResolveFlag::RESOLVE_NO_XDEV
                    | ResolveFlag::RESOLVE_NO_MAGICLINKS,
            );
        let (last, others) = files.split_last().expect("each has a file");
        for file in others {
            match openat2(&self.0, *file, how) {
                Err(Errno::ENOENT) => {}
                result => {
                    let file_opened = result
                        .in_call(|| format!("openat2(\"/proc/{file}\")"))?;
                    return Ok((file, file_opened.into()));
                }
            }
        }
        let opened = openat2(&self.0, *last, how)
            .in_call(|| format!("openat2(\"/proc/{last}\")"))?;
        Ok((last, opened.into()))
    }
}

#[cfg(test)]
mod tests;
