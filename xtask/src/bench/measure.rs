//! The measuring process, as root: nothing in it but starting and waiting.
//!
//! crun refuses a hybrid cgroup layout. The v2 mount is therefore hidden once,
//! for all contenders, in a mount namespace of this process.

use super::contender::{Contender, Programs};
use super::lane::{Bench, Lane};
use super::machine::machine;
use super::samples::{LaneResults, Results, Samples};
use crate::bundle::Bundles;
use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_child_subreaper;
use std::path::Path;

/// Where a hybrid layout mounts cgroup v2.
const UNIFIED: &str = "/sys/fs/cgroup/unified";

/// Measures all contenders in these lanes, or in all.
///
/// # Errors
/// A contender is missing or fails.
pub(super) fn measure(
    programs: &Programs<'_>,
    bundles: &Path,
    runs: u32,
    only: &[Lane],
) -> Result<Results> {
    // Its load as others make it, not yet as we do.
    let machine = machine();
    let bundles = Bundles::at(bundles);
    hide_unified()?;
    make_run(&bundles.state())?;
    // Whose parent ends is ours to wait for: every container.
    set_child_subreaper(true).context("prctl(PR_SET_CHILD_SUBREAPER)")?;
    let mut lanes = vec![];
    for lane in Lane::ALL {
        if only.is_empty() || only.contains(&lane) {
            let contenders = Contender::of(lane, programs, &bundles)?;
            let bench = lane.prepare(&bundles, &contenders)?;
            let samples = alternate(&bench, lane, runs, &contenders);
            bench.clean_up()?;
            lanes.push(LaneResults { lane, samples: samples? });
        }
    }
    Ok(Results { machine, lanes })
}

/// Lets everybody have a turn, again and again, and then weighs everybody.
fn alternate(
    bench: &Bench,
    lane: Lane,
    runs: u32,
    contenders: &[Contender],
) -> Result<Vec<Samples>> {
    let mut times = vec![vec![]; contenders.len()];
    let warm_up = lane.warm_up();
    for round in 0..warm_up + lane.turns(runs) {
        for turn in 0..contenders.len() {
            // Each round begins with another one, so that nobody always runs
            // while the kernel tears down the same neighbour's namespaces.
            let which = (turn + round as usize) % contenders.len();
            let took = bench.turn(&contenders[which])?;
            if round >= warm_up {
                times[which].push(took);
            }
        }
    }
    let all = contenders.iter().zip(times);
    all.map(|(contender, times)| {
        let memory = bench.memory(contender)?;
        Ok(Samples::new(&contender.name, times, memory))
    })
    .collect()
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

/// State directories lie in memory, as /run does on a machine that is not ours.
fn make_run(state: &Path) -> Result<()> {
    let tmpfs = Some("tmpfs");
    mount(tmpfs, state, tmpfs, MsFlags::empty(), None::<&str>)
        .with_context(|| format!("mount(\"tmpfs\", {state:?})"))
}
