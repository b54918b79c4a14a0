//! `isolate [options] CMD..`: the parent's story. The child's is in `child`.
//! What both will do is decided in `plan`.

use crate::child;
use crate::cli::Options;
use crate::output;
use crate::plan::Plan;
use crate::report::report;
use anyhow::Result;
use namespaces::cgroup::Cgroup;
use namespaces::process::{
    Child, ExitStatus, Gate, SpawnOptions, pidfd_open, spawn,
};
use namespaces::signals::Forwarding;
use nix::unistd::Pid;
use std::os::fd::AsFd;

/// Runs the command to its end, or prints what that would take.
pub(crate) fn run(options: &Options) -> Result<u8> {
    let plan = Plan::new(options)?;
    if options.plan {
        output::answer(&plan.text()?)?;
        return Ok(0);
    }
    // A status is 0 to 255; 128 plus a signal, too.
    Ok(isolate(&plan)?.code() as u8)
}

/// The parent's story. The cgroup removes itself if we leave early.
// ANCHOR: isolate
fn isolate(plan: &Plan) -> Result<ExitStatus> {
    // First of all: no signal may be lost before the child is there to have it,
    // and none may end us while there is a cgroup to remove.
    let forwarding = Forwarding::start()?;
    let mut cgroup = plan.create_cgroup()?;
    let gate = Gate::new()?;
    let us = pidfd_open(Pid::this())?;
    plan.prepare_mounts()?;

    // v2: the child is born in it. v1 has no such thing: `prepare` moves it.
    let born_in = cgroup.as_ref().map(Cgroup::dir_fd).transpose()?.flatten();
    let options = SpawnOptions {
        namespaces: plan.namespaces,
        cgroup: born_in.as_ref().map(AsFd::as_fd),
    };
    let child = spawn(&options, || child::run(plan, &gate, us.as_fd()))?;
    if let Err(error) = prepare(plan, &child, cgroup.as_ref()) {
        // The child sees the gate close for ever, and exits.
        drop(gate);
        child.wait()?;
        return Err(error);
    }
    gate.open()?;

    let status = forwarding.wait(&child)?;
    if let Some(cgroup) = &mut cgroup {
        clean_up(cgroup, plan.stats)?;
    }
    Ok(status)
}
// ANCHOR_END: isolate

/// Does what only the parent can do for the child: say who it is outside, and
/// put it where its limits hold.
fn prepare(plan: &Plan, child: &Child, cgroup: Option<&Cgroup>) -> Result<()> {
    if let Some(id_maps) = &plan.id_maps {
        id_maps.write(child.pid())?;
    }
    if let Some(cgroup) = cgroup {
        // On v2 it was born there already; then this changes nothing.
        cgroup.add(child.pid())?;
    }
    Ok(())
}

/// Tells what the limits have done, ends what the command has left running, and
/// removes the cgroup.
fn clean_up(cgroup: &mut Cgroup, stats: bool) -> Result<()> {
    // Before the command's leftovers are killed, which changes the numbers.
    for line in report(cgroup, stats)? {
        output::tell(line);
    }
    cgroup.kill()?;
    cgroup.remove()?;
    Ok(())
}
