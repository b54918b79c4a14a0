//! `cargo xtask demo`: the main job, told as a story with assertions.
//!
//! Two processes: one tells the story and may die of it, by a failure or by
//! Ctrl-C; the other waits, then removes what is left and proves that it is
//! gone. What was made is found by what the kernel knows, not by what was said.

mod daemon;
pub(crate) mod leftover;
mod process;
mod story;
mod wait;

use crate::cargo::{Profile, build, xtask};
use crate::package::{self, Missing, Need};
use crate::progress::{cut, step};
use crate::root::{exec_as_root, is_root, shown};
use crate::stage::packages_up_to;
use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::mkdtemp;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// How to tell it.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Only tell which system packages are missing
    #[arg(long)]
    no_install: bool,
    /// The OCI runtime: imageless, runc, crun or an absolute path
    #[arg(long, value_name = "NAME", default_value = "imageless")]
    runtime: Option<String>,
    /// Everything is built: the part that runs as root
    #[arg(long, hide = true)]
    built: bool,
    /// Everything is prepared: the part that tells the story in this directory
    #[arg(long, hide = true)]
    folder: Option<PathBuf>,
}

impl Args {
    fn runtime(&self) -> &str {
        self.runtime.as_deref().unwrap_or("imageless")
    }
}

/// Prepares, tells the story, cleans up.
///
/// # Errors
/// Something was not as it has to be, or something was left behind.
pub(crate) fn demo(args: &Args) -> Result<()> {
    if let Some(folder) = &args.folder {
        return story::tell(folder, args.runtime());
    }
    if !args.built {
        package::ensure(&[Need::Demo], Missing::from_flag(args.no_install))?;
        step("build the five stages", || {
            build(&packages_up_to(5), Profile::Dev)
        })?;
    }
    if is_root() {
        return supervise(args.runtime());
    }
    let words = ["demo", "--built", "--runtime", args.runtime()];
    let argv = std::iter::once(xtask()?.into_os_string())
        .chain(words.map(OsString::from))
        .collect::<Vec<_>>();
    exec_as_root(&argv)
}

/// Lets a child tell the story in a private directory; cleans up whatever
/// became of it.
fn supervise(runtime: &str) -> Result<()> {
    // The terminal sends these to the child too; we stay to clean up.
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];
    SigSet::from_iter(signals).thread_block().context("pthread_sigmask(..)")?;
    let template = env::temp_dir().join("conman-demo-XXXXXX");
    let folder = mkdtemp(&template)
        .with_context(|| format!("mkdtemp({})", template.display()))?;
    let told = tell_in_child(&folder, runtime);
    let cleaned = clean_up(&folder, told.is_ok());
    told.and(cleaned)
}

fn tell_in_child(folder: &Path, runtime: &str) -> Result<()> {
    let mut child = Command::new(xtask()?);
    child.args(["demo", "--runtime", runtime, "--folder"]).arg(folder);
    let status = child.status().with_context(|| shown(&child))?;
    judge(status)
}

fn judge(status: ExitStatus) -> Result<()> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (_, Some(_)) => bail!("demo: interrupted ({status})"),
        _ => bail!("demo: it did not end as it has to"),
    }
}

/// After a story that ended well there must be nothing to clean up; after any
/// other, what is left is removed and named.
fn clean_up(folder: &Path, ended_well: bool) -> Result<()> {
    let tags = leftover::tags(folder);
    let left = match ended_well {
        true => leftover::settled(&tags),
        false => leftover::find(&tags),
    };
    if left.is_empty() {
        let census = leftover::census();
        println!("\nnothing is left: looked through {census}");
    } else {
        println!("\nremoving what is left:");
        let lines = left.iter().map(|leftover| cut(&leftover.to_string(), 2));
        lines.for_each(|line| println!("  {line}"));
        leftover::remove_all(&tags)?;
    }
    fs::remove_dir_all(folder)
        .with_context(|| format!("remove {}", folder.display()))?;
    if ended_well && !left.is_empty() {
        bail!("demo: it left {} things behind", left.len());
    }
    Ok(())
}
