//! Runs the programs: each in a directory of its own, with a deadline, several at
//! once, because most of their time they sleep. What they leave behind is
//! removed, and nothing may stay after that.

use super::build;
use super::scratch::Scratch;
use super::tap::Said;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

/// A runtime to be judged.
#[derive(Debug)]
pub(super) struct Runtime {
    pub(super) name: &'static str,
    pub(super) file: PathBuf,
}

/// Seconds; the longest, `delete`, takes 14.
const DEADLINE: &str = "60";

/// Programs at once, besides one of those that cannot be together.
const LANES: usize = 6;

/// All of these make the same cgroup, `/cgroupTest`: one after the other.
fn shares_a_cgroup(program: &str) -> bool {
    program.starts_with("linux_cgroups_") || program.starts_with("delete_")
}

#[derive(Clone, Copy)]
struct Job<'a> {
    program: &'a str,
    runtime: &'a Runtime,
}

/// Runs each program on each runtime; the answers are in the order of the
/// programs.
///
/// # Errors
/// A program cannot be started, or something of a container is left.
pub(super) fn all(
    programs: &[&str],
    runtimes: &[Runtime; 2],
) -> Result<[Vec<Said>; 2]> {
    let suite = build::folder()?;
    let scratch = Scratch::new()?;
    let jobs = runtimes.iter().flat_map(|runtime| {
        programs.iter().map(move |&program| Job { program, runtime })
    });
    let (alone, together): (Vec<_>, Vec<_>) =
        jobs.partition(|job| shares_a_cgroup(job.program));
    let (alone, together) = (Mutex::new(alone), Mutex::new(together));
    let said = Mutex::new(BTreeMap::new());
    let work = |jobs: &Mutex<Vec<Job<'_>>>| -> Result<()> {
        while let Some(job) = next(jobs) {
            let answer = one(job, &suite, &scratch).with_context(|| {
                format!("{} on {}", job.program, job.runtime.name)
            })?;
            let mut said = said.lock().expect("no thread panics: it aborts");
            said.insert((job.runtime.name, job.program.to_owned()), answer);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let first = scope.spawn(|| work(&alone));
        let others: Vec<_> =
            (0..LANES).map(|_| scope.spawn(|| work(&together))).collect();
        let mut lanes = std::iter::once(first).chain(others);
        lanes.try_for_each(|lane| {
            lane.join().expect("no thread panics: it aborts")
        })
    })?;
    let [runc, imageless] = runtimes;
    scratch.tell_what_is_left_by(runc.name)?;
    scratch.demand_nothing_left_by(imageless.name)?;
    let mut said = said.into_inner().expect("no thread panics: it aborts");
    Ok(runtimes.each_ref().map(|runtime| {
        let answer = |program: &&str| {
            said.remove(&(runtime.name, (*program).to_owned()))
        };
        programs.iter().filter_map(answer).collect()
    }))
}

fn next<'a>(jobs: &Mutex<Vec<Job<'a>>>) -> Option<Job<'a>> {
    jobs.lock().expect("no thread panics: it aborts").pop()
}

fn one(job: Job<'_>, suite: &Path, scratch: &Scratch) -> Result<Said> {
    let dir = scratch.of(job.runtime.name).join(job.program);
    for folder in ["root", "tmp"] {
        fs::create_dir_all(dir.join(folder)).context(folder)?;
    }
    for file in ["rootfs-amd64.tar.gz", "runtimetest"] {
        fs::copy(suite.join(file), dir.join(file)).context(file)?;
    }
    let runtime = wrapper(job.runtime, &dir)?;
    let file = dir.join("said");
    let output = File::create(&file).context("create the file for output")?;
    // timeout(1) makes a process group, and ends all of it.
    let status = Command::new("timeout")
        .args(["--kill-after=5", DEADLINE])
        .arg(suite.join("bin").join(job.program))
        .current_dir(&dir)
        .env("RUNTIME", &runtime)
        .env("TMPDIR", dir.join("tmp"))
        .stdin(Stdio::null())
        .stderr(output.try_clone().context("dup")?)
        .stdout(output)
        .status()
        .context("timeout(1)")?;
    remove_containers(&runtime, &dir.join("root"))?;
    let text = fs::read(&file).context("read the output")?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(Said::new(text, status.success()))
}

/// The programs give no `--root`, so this does; and it notes the ids, by which
/// to find what is left.
fn wrapper(runtime: &Runtime, dir: &Path) -> Result<PathBuf> {
    let script = format!(
        "#!/bin/sh\n\
         [ \"$1\" = create ] && for id; do :; done && echo \"$id\" >>'{dir}/ids'\n\
         exec '{runtime}' --root '{dir}/root' \"$@\"\n",
        dir = dir.display(),
        runtime = runtime.file.display(),
    );
    let file = dir.join("runtime");
    fs::write(&file, script).context("write the wrapper")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
        .context("chmod the wrapper")?;
    Ok(file)
}

/// Some programs end without a delete: when they fail, or by mistake.
fn remove_containers(runtime: &Path, root: &Path) -> Result<()> {
    for entry in fs::read_dir(root).context("read the runtime's root")? {
        let id = entry.context("read the runtime's root")?.file_name();
        // What it cannot delete is found as left over.
        let _ = Command::new(runtime)
            .args(["delete", "--force"])
            .arg(id)
            .output()
            .context("delete --force")?;
    }
    Ok(())
}
