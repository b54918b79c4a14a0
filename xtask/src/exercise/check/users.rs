//! Checks of user namespaces: who somebody is, inside and outside.

use super::Subject;
use super::answers::compare;
use super::held::Held;
use super::proc::status;
use super::scratch::Scratch;
use anyhow::{Context, Result};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// Runs the program of the prediction with a command that makes a file and
/// touches one of the host's root, and looks at both from outside.
pub(crate) fn prediction(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let file = |name| scratch.path().join(name);
    fs::write(file("host"), "root's")?;
    fs::set_permissions(file("host"), Permissions::from_mode(0o600))?;
    let folder = scratch.path().to_str().context("a path in UTF-8")?;
    let script = format!(
        "cd {folder}; : > made; stat -c %u host > seen
         sh -c 'echo inside > host' 2>/dev/null; exec cat -"
    );
    let held = Held::start(subject.program, &[], &["sh", "-c", &script])?;
    let process = status(held.command()?, "Uid").context("it is held")?;
    let owner = fs::metadata(file("made"))?.uid();
    let seen = fs::read_to_string(file("seen"))?;
    let changed = fs::read_to_string(file("host"))? != "root's";
    compare(
        subject,
        &[
            ("uid of the process outside", process[0].clone()),
            ("owner of its new file outside", owner.to_string()),
            ("owner of the host's file inside", seen.trim().to_owned()),
            (
                "it can write the host's file",
                if changed { "yes" } else { "no" }.to_owned(),
            ),
        ],
    )
}
