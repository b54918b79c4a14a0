//! The measuring process, as root: nothing in it but starting and waiting.
//!
//! crun refuses a hybrid cgroup layout. The v2 mount is therefore hidden once,
//! for all contenders, in a mount namespace of this process.

use super::report::Measurement;
use crate::package::on_path;
use crate::root::{shown, succeed};
use anyhow::{Context, Result, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs of each contender before the clock counts: caches fill, directories of
/// the root file system appear.
const WARM_UP: u32 = 3;
/// Runs of each contender under time(1), which tells the peak memory.
const WEIGHED: u32 = 3;
/// Where a hybrid layout mounts cgroup v2.
const UNIFIED: &str = "/sys/fs/cgroup/unified";

/// The namespaces that the bundle's configuration asks for.
const FLOOR: &[&str] = &[
    "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork", "--",
];

/// One of those that run the program.
struct Contender {
    name: String,
    program: PathBuf,
    /// Arguments; a container's id comes last, if there is a container.
    args: Vec<OsString>,
    has_id: bool,
}

/// Measures all contenders and prints the samples as JSON.
///
/// # Errors
/// A contender is missing or fails.
pub(super) fn measure(
    imageless: &Path,
    bundle: &Path,
    runs: u32,
) -> Result<()> {
    hide_unified()?;
    let state = bundle.join("state");
    let contenders = [
        floor(bundle)?,
        runtime("imageless", imageless.to_owned(), bundle, &state),
        runtime("runc", installed("runc")?, bundle, &state),
        runtime("crun", installed("crun")?, bundle, &state),
    ];
    let mut times = vec![vec![]; contenders.len()];
    for round in 0..WARM_UP + runs {
        for turn in 0..contenders.len() {
            // Each round begins with another one, so that nobody always runs
            // while the kernel tears down the same neighbour's namespaces.
            let which = (turn + round as usize) % contenders.len();
            let took = contenders[which].run(round)?;
            if round >= WARM_UP {
                times[which].push(took);
            }
        }
    }
    let mut all = vec![];
    for (contender, times) in contenders.iter().zip(times) {
        let peak = contender.peak(bundle)?;
        all.push(Measurement::new(&contender.name, times, peak));
    }
    println!("{}", Measurement::all_to_json(&all));
    Ok(())
}

/// Gives this process a mount namespace of its own, without the v2 mount.
fn hide_unified() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .context("mount(\"/\", MS_REC|MS_PRIVATE)")?;
    if Path::new(UNIFIED).join("cgroup.procs").exists() {
        umount2(UNIFIED, MntFlags::MNT_DETACH)
            .with_context(|| format!("umount2({UNIFIED:?})"))?;
    }
    Ok(())
}

fn floor(bundle: &Path) -> Result<Contender> {
    let mut args: Vec<_> = FLOOR.iter().map(OsString::from).collect();
    args.push(bundle.join("rootfs/true").into());
    let program = installed("unshare")?;
    Ok(Contender { name: "unshare(1)".into(), program, args, has_id: false })
}

fn runtime(
    name: &str,
    program: PathBuf,
    bundle: &Path,
    state: &Path,
) -> Contender {
    let words: [OsString; 5] = [
        "--root".into(),
        state.join(name).into(),
        "run".into(),
        "--bundle".into(),
        bundle.into(),
    ];
    let name = version(name, &program);
    Contender { name, program, args: words.to_vec(), has_id: true }
}

fn installed(name: &str) -> Result<PathBuf> {
    on_path(name).with_context(|| format!("{name} is not on PATH"))
}

/// `runc 1.1.5`, from the first line of `runc --version`.
fn version(name: &str, program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let number = text.lines().next().and_then(|l| l.split_whitespace().last());
    let number = number.map(|n| n.split(['+', '-']).next().unwrap_or(n));
    number.map_or(name.to_owned(), |number| format!("{name} {number}"))
}

impl Contender {
    /// Runs once, from start to end.
    fn run(&self, round: u32) -> Result<Duration> {
        let mut command = Command::new(&self.program);
        self.complete(&mut command, round);
        let begin = Instant::now();
        let status = command.status().with_context(|| shown(&command))?;
        let took = begin.elapsed();
        if !status.success() {
            bail!("{}: {status}", shown(&command));
        }
        Ok(took)
    }

    /// The most memory that the contender, or a child it waited for, has had
    /// resident: kibibytes, as getrusage(2) counts them. Median of a few runs.
    fn peak(&self, bundle: &Path) -> Result<u64> {
        let file = bundle.join("peak");
        let mut peaks = vec![];
        for round in 0..WEIGHED {
            let mut time = Command::new("/usr/bin/time");
            time.args(["-f", "%M", "-o"]).arg(&file).arg(&self.program);
            self.complete(&mut time, round);
            succeed(&mut time)?;
            let text = fs::read_to_string(&file).context("time -o")?;
            peaks.push(text.trim().parse().context("time -f %M")?);
        }
        peaks.sort_unstable();
        Ok(peaks[peaks.len() / 2])
    }

    fn complete(&self, command: &mut Command, round: u32) {
        command.args(&self.args).stdin(Stdio::null()).stdout(Stdio::null());
        if self.has_id {
            let pid = std::process::id();
            command.arg(format!("bench-{pid}-{round}"));
        }
    }
}
