//! The life of a container's init: born by clone3(2) into the new namespaces as
//! a copy of the runtime, it builds the container around itself, tells the
//! runtime that it is ready, waits for `start`, and becomes the user's program.
//! The order of the steps is the order in which rights and sights are lost;
//! each says what breaks if it moves.

use crate::config::Bundle;
use crate::console::Terminal;
use crate::container::Status;
use crate::hooks::{self, Moment};
use crate::outside::Outside;
use crate::plan::Plan;
use crate::seccomp::Agent;
use crate::start::{Event, Wait};
use crate::state::State;
use crate::sync::InitEnd;
use crate::{devices, net_devices, outcome, sysctl};
use anyhow::{Context, Result};
use namespaces::InCall;
use namespaces::cgroup::Entrance;
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::process::close_on_exec_from;
use namespaces::root::Root;
use namespaces::rootfs;
use nix::sys::prctl;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, chdir, getpid, setresgid, setresuid, setsid};
use std::ffi::{CStr, CString};
use std::os::fd::BorrowedFd;
use std::path::Path;

/// Lives that life. The return value is the exit code of a container that never
/// became its program.
// ANCHOR: init_run
pub(crate) fn run(
    plan: &Plan,
    inherited: Inheritance<'_>,
    agent: Option<Agent>,
    mut runtime: InitEnd<'_>,
) -> i32 {
    let ready = become_container(plan, inherited, agent, &mut runtime)
        .and_then(|program| Ok((program, Wait::prepare(inherited.fifo)?)));
    let (program, wait) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            runtime.failed(&error);
            return 1;
        }
    };
    // If `create` was killed, nobody will ever start or delete us.
    let event = runtime.ready().and_then(|()| wait.wait());
    match event {
        Ok(Event::Start) => become_program(plan, inherited, &program),
        Ok(Event::Signal(signal)) => 128 + signal,
        Err(_) => 1,
    }
}
// ANCHOR_END: init_run

/// Returns only if a hook forbade it, or it failed.
fn become_program(
    plan: &Plan,
    inherited: Inheritance<'_>,
    program: &CStr,
) -> i32 {
    let tell = |error: &_| outcome::failed(inherited.outcome, error);
    match run_hooks(Moment::StartContainer, inherited) {
        Ok(()) => plan.process.become_program(program, tell),
        Err(error) => {
            tell(&error);
            1
        }
    }
}

/// What init inherits from the runtime besides the plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inheritance<'a> {
    /// What its hooks are told.
    pub(crate) state: &'a State,
    /// What it waits on for `start`.
    pub(crate) fifo: BorrowedFd<'a>,
    /// On which to tell how it went with the hooks around the start.
    pub(crate) outcome: Option<BorrowedFd<'a>>,
    /// The way into its cgroup, if it is to have one.
    pub(crate) entrance: Option<&'a Entrance>,
    /// Where to send its terminal's master, if it is to have one.
    pub(crate) console: Option<BorrowedFd<'a>>,
    /// How many descriptors after stderr the program keeps.
    pub(crate) kept_fds: u32,
}

// ANCHOR: become_container
fn become_container(
    plan: &Plan,
    inherited: Inheritance<'_>,
    agent: Option<Agent>,
    runtime: &mut InitEnd<'_>,
) -> Result<CString> {
    let (process, state) = (&plan.process, inherited.state);
    enter_namespaces(plan, runtime)?;
    let mut outside = Outside::take(process, agent, state, Status::Creating)?;
    // Through the host's /proc: the container's own could be a fake.
    sysctl::apply(&plan.sysctls)?;
    if plan.cgroup.is_of_systemd() {
        // Before that there is no cgroup that could be mounted.
        runtime.wait_for_go()?;
    }
    let root = build_root(plan)?;
    make_terminal(plan, &root, inherited.console)?;
    // ANCHOR_END: become_container
    // ANCHOR: leave_the_host
    // Not before the runtime has noted who we are: `delete` takes whoever is in
    // the cgroup of a container without an init for somebody else's process.
    runtime.wait_for_go()?;
    enter_cgroup(inherited.entrance, plan.isolation.new)?;
    run_hooks_before_pivot(inherited, runtime)?;
    rootfs::pivot(root)?;
    plan.sharing.finish()?;
    // After the last file that is opened, and before the filter of system
    // calls, which may be older than close_range(2).
    close_on_exec_from(3 + inherited.kept_fds)?;
    process.restrict(&mut outside)?;
    if plan.isolation.lets_its_user_in() {
        // Not before we have lost the host, nor before the change of the user,
        // which takes it back.
        prctl::set_dumpable(true)
            .in_call(|| "prctl(PR_SET_DUMPABLE, 1)".into())?;
    }
    process.find_program(&mut outside)
}
// ANCHOR_END: leave_the_host

/// The runtime's hooks first, in its namespaces, then those in ours. The host's
/// files are in sight of both.
fn run_hooks_before_pivot(
    inherited: Inheritance<'_>,
    runtime: &mut InitEnd<'_>,
) -> Result<()> {
    let hooks = inherited.state.hooks.as_ref();
    if hooks::any(hooks, &[Moment::Prestart, Moment::CreateRuntime]) {
        runtime.wait_for_hooks()?;
    }
    if hooks::any(hooks, &[Moment::CreateContainer]) {
        // Ours is for files whose mode is configured.
        umask(Mode::from_bits_truncate(0o022));
        let rootfs = &inherited.state.rootfs;
        chdir(rootfs).in_call(|| format!("chdir({rootfs:?})"))?;
    }
    run_hooks(Moment::CreateContainer, inherited)
}

fn run_hooks(moment: Moment, inherited: Inheritance<'_>) -> Result<()> {
    hooks::run(moment, inherited.state, getpid().as_raw())
}

/// Becomes root of the new user namespace, if there is one, before anything is
/// done in the others that it owns.
// ANCHOR: enter_namespaces
fn enter_namespaces(plan: &Plan, runtime: &mut InitEnd<'_>) -> Result<()> {
    prctl::set_name(c"imageless init")
        .in_call(|| "prctl(PR_SET_NAME)".into())?;
    // The modes in the configuration are meant as they stand.
    umask(Mode::empty());
    setsid().in_call(|| "setsid()".into())?;
    plan.isolation.join()?;
    if plan.isolation.new.contains(Namespace::User) {
        // Nobody is root here before the runtime has written the id maps.
        runtime.wait_for_go()?;
    }
    // Our files in /proc are still our own.
    plan.isolation.set_clocks()?;
    plan.process.adjust_oom_score()?;
    // A process of a shared pid namespace must not look into our memory and
    // descriptors (CVE-2016-9962). Not before the id maps: the files of such a
    // process in /proc are root's, and an ordinary user could not write them.
    prctl::set_dumpable(false)
        .in_call(|| "prctl(PR_SET_DUMPABLE, 0)".into())?;
    if plan.isolation.own().contains(Namespace::User) {
        let (uid, gid) = (Uid::from_raw(0), Gid::from_raw(0));
        setresgid(gid, gid, gid).in_call(|| "setresgid(0, 0, 0)".into())?;
        setresuid(uid, uid, uid).in_call(|| "setresuid(0, 0, 0)".into())?;
    }
    if plan.isolation.new.contains(Namespace::Net) {
        net_devices::set_up_loopback()?;
    }
    Ok(())
}
// ANCHOR_END: enter_namespaces

/// Mounts everything, by handle and from outside: the old root, with /proc and
/// the devices, is still in sight.
fn build_root(plan: &Plan) -> Result<Root> {
    let Bundle { spec, rootfs, .. } = &plan.bundle;
    let linux = spec.linux().as_ref().expect("checked by supported::check");
    let held = plan.sharing.begin(&plan.mounts)?;
    let root = rootfs::bind_root(rootfs)?;
    plan.sharing.cut_off_root(&root)?;
    for (mount, held) in plan.mounts.iter().zip(held) {
        mount.mount_in(&root, held)?;
    }
    if !devices::dev_is_bound(spec) {
        devices::create(&root, &plan.devices, plan.isolation.new)?;
    }
    // After the mounts: what is masked is in the new /proc and /sys.
    for path in linux.readonly_paths().iter().flatten() {
        rootfs::make_read_only(&root, Path::new(path))
            .context("config.json: linux.readonlyPaths")?;
    }
    for path in linux.masked_paths().iter().flatten() {
        rootfs::mask(&root, Path::new(path))
            .context("config.json: linux.maskedPaths")?;
    }
    if spec.root().as_ref().is_some_and(|root| root.readonly() == Some(true)) {
        rootfs::make_root_read_only(&root)?;
    }
    Ok(root)
}

/// While the host's /proc is in sight, through which the console is bound.
fn make_terminal(
    plan: &Plan,
    root: &Root,
    console: Option<BorrowedFd<'_>>,
) -> Result<()> {
    let Some(console) = console else { return Ok(()) };
    let make = || {
        let terminal = Terminal::open(root, &plan.process.config)?;
        if !devices::dev_is_bound(&plan.bundle.spec) {
            terminal.bind_console(root)?;
        }
        terminal.send(console)?.control()
    };
    make().context("config.json: process.terminal")
}

/// First the cgroup, then the namespace, which takes the cgroup that we are in
/// as its top.
fn enter_cgroup(entrance: Option<&Entrance>, new: Namespaces) -> Result<()> {
    entrance.map_or(Ok(()), Entrance::enter)?;
    if new.contains(Namespace::Cgroup) {
        unshare(Namespaces::from_iter([Namespace::Cgroup]))?;
    }
    Ok(())
}
