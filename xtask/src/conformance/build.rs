//! The validation programs, built from the Go module that the OCI publishes. Its
//! last release is older than Go's modules: what it depends on is pinned by our
//! `xtask/conformance/go.mod`.

use crate::cargo::{Profile, binaries, repository};
use crate::package::on_path;
use crate::root::{shown, succeed};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODULE: &str = "github.com/opencontainers/runtime-tools@v0.9.0";
/// What go.sum would hold for it, if it could be depended on.
const SUM: &str = "h1:FYgwVsKRI/H9hU32MJ/4MLOzXWodKK5zsQavY8NPMkU=";

/// Where Go's own archive is unpacked to, which no PATH names by itself.
const GO_ARCHIVE: &str = "/usr/local/go/bin/go";

/// The Go compiler, wherever it came from.
pub(super) fn go() -> Option<PathBuf> {
    let archive = PathBuf::from(GO_ARCHIVE);
    on_path("go").or_else(|| archive.is_file().then_some(archive))
}

/// Where the programs are: in `bin`, beside what they need.
///
/// # Errors
/// Those of [`binaries`].
pub(super) fn folder() -> Result<PathBuf> {
    Ok(binaries(Profile::Dev)?.with_file_name("conformance"))
}

/// Fetches and builds them, unless that has been done.
///
/// # Errors
/// Go is missing, or cannot reach its module proxy, or what it brought is not
/// what we know.
pub(super) fn suite() -> Result<()> {
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the programs bring a root file system for x86_64 only"
    );
    let folder = folder()?;
    let pins = repository().join("xtask/conformance");
    let wanted = fs::read_to_string(pins.join("go.sum")).context("go.sum")?;
    let done = folder.join("done");
    if fs::read_to_string(&done).is_ok_and(|built| built == wanted) {
        return Ok(());
    }
    copy_module(&folder, &pins)?;
    let programs =
        ["build", "-buildvcs=false", "-o", "bin/", "./validation/..."];
    succeed(in_folder(&folder)?.args(programs))?;
    // Static: it runs in a root without a libc.
    let inside = ["build", "-buildvcs=false", "-o", ".", "./cmd/runtimetest"];
    succeed(in_folder(&folder)?.env("CGO_ENABLED", "0").args(inside))?;
    fs::write(&done, wanted).context("write done")
}

/// Copies it out of Go's cache, which is not to be written to.
fn copy_module(folder: &Path, pins: &Path) -> Result<()> {
    let source = download(pins)?;
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| shown_path(folder))?;
    }
    let copy = ["--recursive", "--no-preserve=mode", "--no-target-directory"];
    succeed(Command::new("cp").args(copy).arg(source).arg(folder))?;
    fs::create_dir(folder.join("bin")).context("mkdir bin")?;
    for file in ["go.mod", "go.sum"] {
        fs::copy(pins.join(file), folder.join(file)).context(file)?;
    }
    Ok(())
}

fn download(pins: &Path) -> Result<PathBuf> {
    let mut command = in_folder(pins)?;
    command.args(["mod", "download", "-json", MODULE]);
    let output = command.output().with_context(|| shown(&command))?;
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("{}: {}", shown(&command), said.trim())
        })?;
    let field = |name: &str| answer[name].as_str().unwrap_or_default();
    ensure!(
        field("Sum") == SUM,
        "{MODULE}: its sum is {:?}, and we know {SUM} {}",
        field("Sum"),
        field("Error")
    );
    Ok(PathBuf::from(field("Dir")))
}

fn in_folder(folder: &Path) -> Result<Command> {
    let go = go().context("go is missing\nhint: apt-get install golang-go")?;
    let mut command = Command::new(go);
    command.current_dir(folder).env("GOTOOLCHAIN", "local");
    Ok(command)
}

fn shown_path(path: &Path) -> String {
    path.display().to_string()
}
