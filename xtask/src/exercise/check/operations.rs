//! Checks of the five operations on a container: what they do to its process.

use super::Subject;
use super::answers::compare;
use super::held::{ends, pidfd};
use super::proc::{argv, children};
use super::runtime::Runtime;
use super::scratch::Scratch;
use anyhow::{Context, Result};
use nix::unistd::Pid;
use std::fs;

/// Lives the life that the prediction is about.
pub(crate) fn prediction(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let runtime = Runtime::of(subject, &scratch)?;
    let bundle = scratch.cat_bundle()?;

    let (held, created) = runtime.create(&bundle)?;
    let handle = pidfd(created)?;
    runtime.kill("TERM")?;
    let before = if ends(&handle)? { "ends" } else { "lives" };
    drop(held);
    runtime.call("delete", &["--force"])?;

    let (mut held, created) = runtime.create(&bundle)?;
    let program = argv(created);
    fs::remove_file(bundle.join("config.json"))?;
    let started = runtime.call("start", &[])?.success();
    held.answers("ready")?;
    let cats = cats()?;
    let running = *cats.first().context("it has answered")?;
    // It would not answer any more, and the kernel drops a signal at once.
    runtime.kill("TERM")?;
    let after = match held.answers("still here") {
        Ok(()) => "lives",
        Err(_) => "ends",
    };
    let word = |is| if is { "yes" } else { "no" };
    let pid = if running == created { "the same" } else { "another" };
    compare(
        subject,
        &[
            ("created, there is a process", word(!program.is_empty()).into()),
            ("created, the program runs", word(program == CAT).into()),
            ("created, after a TERM the process", before.into()),
            ("start works without config.json", word(started).into()),
            ("started, the pid is", pid.into()),
            ("started, after a TERM cat", after.into()),
        ],
    )
}

const CAT: [&str; 2] = ["cat", "-"];

/// The processes `cat -` among our children: the orphans of the runtime.
fn cats() -> Result<Vec<Pid>> {
    let ours = children(Pid::this())?.into_iter();
    Ok(ours.filter(|pid| argv(*pid) == CAT).collect())
}
