//! System packages: what Debian and Ubuntu have to bring, by one table.
//!
//! Commands call [`ensure`] for what they need themselves, so that a new
//! machine needs no list of prerequisites. Installing starts no service.

mod table;

use crate::progress::{step, wrapped};
use crate::root::{as_root, search_path, succeed};
use crate::stage::STAGES;
use anyhow::Result;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use table::ALL;

pub(crate) use table::PACKAGES;

/// Who needs a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Demo,
    Bench,
    Ship,
    /// The machine with cgroup v2.
    Vm,
    /// Only where Go has not come from elsewhere.
    Conformance,
    /// The tests and the book's chapter of this stage.
    Stage(u8),
}

/// One row of the table.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// A program on PATH, or the absolute pattern of a file: one `*` stands for
    /// one folder.
    pub(crate) provides: &'static str,
    pub(crate) why: &'static str,
    pub(crate) needed_by: &'static [Need],
}

/// Seconds after which package lists are taken for stale.
const A_DAY: i64 = 24 * 60 * 60;

/// Whether to install or only to tell.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only tell what is missing, why, and how to install it
    #[arg(long)]
    no_install: bool,
}

/// What to do about a missing package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Install,
    Tell,
}

impl Missing {
    /// What `--no-install` asks for.
    pub(crate) fn from_flag(no_install: bool) -> Missing {
        if no_install { Missing::Tell } else { Missing::Install }
    }
}

/// `cargo xtask packages`: brings in the whole table.
///
/// # Errors
/// Those of [`ensure`].
pub(crate) fn packages(args: &Args) -> Result<()> {
    if missing_for(ALL).is_empty() {
        println!("nothing is missing");
    }
    ensure(ALL, Missing::from_flag(args.no_install))
}

/// Makes sure that what `needs` asks for is on the machine, or tells what is
/// not.
///
/// # Errors
/// apt-get failed, or there is no way to root.
pub(crate) fn ensure(needs: &[Need], missing: Missing) -> Result<()> {
    let wanted = missing_for(needs);
    if wanted.is_empty() {
        return Ok(());
    }
    println!("missing packages:");
    for package in &wanted {
        println!("  {:<16}{}", package.name, wrapped(package.why, 18));
    }
    let names: Vec<_> = wanted.iter().map(|package| package.name).collect();
    match missing {
        Missing::Tell => {
            println!("  to install them:\n    {}", install_line(&names))
        }
        Missing::Install => {
            step("install the missing packages", || install(&names))?
        }
    }
    Ok(())
}

fn missing_for(needs: &[Need]) -> Vec<&'static Package> {
    let is_needed = |package: &&Package| {
        package.needed_by.iter().any(|need| needs.contains(need))
    };
    let needed = PACKAGES.iter().filter(is_needed);
    needed.filter(|package| !is_present(package)).collect()
}

/// What a person types to install these packages.
pub(crate) fn install_line(names: &[&str]) -> String {
    format!("sudo apt-get install --no-install-recommends {}", names.join(" "))
}

/// Tells whether what the package provides is there, whoever installed it.
pub(crate) fn is_present(package: &Package) -> bool {
    match package.provides.strip_prefix('/') {
        Some(_) => file_matches(package.provides),
        None => on_path(package.provides).is_some(),
    }
}

/// Finds a program as root's shell would.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let mut files = search_path().into_iter().map(|dir| dir.join(program));
    files.find(|file| file.is_file())
}

fn file_matches(pattern: &str) -> bool {
    let Some((before, after)) = pattern.split_once("*/") else {
        return Path::new(pattern).is_file();
    };
    let folders = std::fs::read_dir(before).into_iter().flatten().flatten();
    folders.map(|folder| folder.path().join(after)).any(|file| file.is_file())
}

fn install(names: &[&str]) -> Result<()> {
    if lists_are_stale(Path::new("/var/lib/apt/lists")) {
        succeed(apt_get("update").arg("--quiet"))?;
    }
    succeed(
        apt_get("install")
            .args(["-qq", "--yes", "--no-install-recommends"])
            .args(names),
    )
}

fn apt_get(verb: &str) -> std::process::Command {
    let mut command = as_root("env");
    // Offline, systemctl(1) starts nothing: containerd would be.
    command.args(["DEBIAN_FRONTEND=noninteractive", "SYSTEMD_OFFLINE=1"]);
    command.arg("apt-get");
    // Without a terminal of its own, dpkg shows no percentages.
    command.args(["--option", "Dpkg::Use-Pty=0", verb]);
    command.stdin(std::process::Stdio::null());
    command
}

/// An image has no lists, and lists older than a day name files that the
/// mirrors have dropped.
fn lists_are_stale(lists: &Path) -> bool {
    let since_1970 =
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX);
    let fresh = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        // ctime, because apt gives its files the mtime that the mirror's have.
        let written = entry.metadata().map_or(0, |metadata| metadata.ctime());
        name.to_string_lossy().contains("_Packages") && now - written < A_DAY
    };
    !std::fs::read_dir(lists).into_iter().flatten().flatten().any(fresh)
}

/// The chapters that a package is needed for.
pub(crate) fn chapters(package: &Package) -> Vec<u8> {
    let numbers = STAGES.iter().map(|stage| stage.number);
    numbers
        .filter(|number| package.needed_by.contains(&Need::Stage(*number)))
        .collect()
}

#[cfg(test)]
mod tests;
