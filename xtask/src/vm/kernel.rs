//! Debian's kernel, unpacked from its package and never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The meta package that names the newest kernel of the distribution.
const META_PACKAGE: &str = "linux-image-amd64";

/// What the tests need of a kernel and Debian builds as a module.
const MODULES: &[&str] = &["drivers/block/loop.ko", "fs/overlayfs/overlay.ko"];

/// Returns the kernel under `work`, downloading and unpacking it the first time.
pub(super) fn unpacked(work: &Path) -> Result<PathBuf> {
    let root = work.join("kernel");
    if let Some(kernel) = find(&root) {
        return Ok(kernel);
    }
    println!("vm: downloading Debian's kernel, once");
    fs::create_dir_all(&root).with_context(|| format!("mkdir({root:?})"))?;
    let package = newest()?;
    succeed(
        Command::new("apt-get")
            .args(["-qq", "download", &package])
            .current_dir(&root),
    )?;
    let archive = fs::read_dir(&root)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.extension().is_some_and(|extension| extension == "deb")
        })
        .with_context(|| {
            format!("apt-get download {package}: no .deb in {root:?}")
        })?;
    succeed(Command::new("dpkg-deb").arg("-x").arg(archive).arg(&root))?;
    find(&root).with_context(|| format!("{package}: no boot/vmlinuz-* in it"))
}

/// Lists the files of [`MODULES`] in the package that [`unpacked`] has got.
pub(super) fn modules(work: &Path) -> Result<Vec<PathBuf>> {
    let lib = work.join("kernel/lib/modules");
    let versions = fs::read_dir(&lib)
        .with_context(|| format!("opendir({lib:?})"))?
        .filter_map(|entry| Some(entry.ok()?.path()));
    let files = versions.flat_map(|version| {
        MODULES.iter().map(move |name| version.join("kernel").join(name))
    });
    Ok(files.filter(|file| file.exists()).collect())
}

/// The package that holds the kernel which [`META_PACKAGE`] depends on.
fn newest() -> Result<String> {
    let output =
        Command::new("apt-cache").args(["depends", META_PACKAGE]).output();
    let output = output.context("apt-cache depends")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let package = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Depends: linux-image-"));
    let version = package.with_context(|| {
        format!("apt-cache depends {META_PACKAGE}: names no kernel\nhint: run apt-get update")
    })?;
    Ok(format!("linux-image-{version}"))
}

/// `boot/vmlinuz-VERSION` below `root`.
fn find(root: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(root.join("boot")).ok()?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"vmlinuz"))
    })
}

/// Runs a command that has to succeed.
fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    if status.success() { Ok(()) } else { bail!("{command:?}: {status}") }
}
