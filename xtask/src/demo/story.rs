//! The story: a container without an image outlives the manager that started
//! it. Each act shows something, then asserts it.

use super::daemon::Manager;
use super::leftover::note_id;
use super::process::{self, Process, process};
use super::wait::{PATIENCE, until, until_ended};
use crate::cargo::{Profile, binaries};
use crate::progress::cut;
use crate::root::shown;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{SigSet, Signal};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The numbers that the container counts to, at five a second.
const LAST: usize = 60;
/// How the container ends; nothing else in the story ends with it.
const EXIT_CODE: i64 = 7;
/// What the container runs.
const COUNT: &str = "i=0; while [ $i -lt 60 ]; do i=$((i + 1)); \
                     echo count $i; sleep 0.2; done; exit 7";

/// What one act hands to the next.
struct Story {
    folder: PathBuf,
    id: String,
    /// The container process, as it was when it started.
    container: Process,
    log: PathBuf,
}

/// Tells it in `folder`, which is private and empty.
///
/// # Errors
/// The first thing that is not as it has to be.
pub(super) fn tell(folder: &Path, runtime: &str) -> Result<()> {
    // Who started us holds these back; here they end the story.
    SigSet::all().thread_unblock().context("pthread_sigmask(..)")?;
    println!("\nEverything is in {}; runtime {runtime}", folder.display());
    make_bundle(folder)?;
    let (manager, story) = start(folder, runtime)?;
    story.show_the_family(&manager)?;
    story.kill_the_manager(manager)?;
    let manager = story.restart_the_manager()?;
    story.end_unwatched(manager)?;
    let manager = story.learn_the_exit_code()?;
    story.remove(manager)
}

fn make_bundle(folder: &Path) -> Result<()> {
    act("1. A bundle out of programs of this machine, without any image");
    let mut imageless = Command::new(binaries(Profile::Dev)?.join("imageless"));
    imageless.args(["bundle", "-o", "bundle", "sh", "sleep"]);
    typed("imageless bundle -o bundle sh sleep");
    let output = imageless.current_dir(folder).output();
    let output = output.with_context(|| shown(&imageless))?;
    show(&String::from_utf8_lossy(&output.stdout));
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "imageless bundle: {words}");
    let rootfs = folder.join("bundle/rootfs");
    for program in ["sh", "sleep"] {
        let places = ["bin", "usr/bin"].map(|bin| rootfs.join(bin));
        let found = places.iter().any(|bin| bin.join(program).is_file());
        ensure!(found, "{}: has no {program}", rootfs.display());
    }
    ok("a root file system with a shell, sleep and their libraries");
    Ok(())
}

fn start(folder: &Path, runtime: &str) -> Result<(Manager, Story)> {
    act("2. The manager, and a container that counts to 60, then exits with 7");
    let manager = Manager::start(folder)?;
    typed("conmand --root root --state state --socket conmand.sock &");
    ok(&format!("it listens; it is process {}", manager.pid()));
    let image = format!("rootfs:{}", folder.join("bundle/rootfs").display());
    typed("conman run -d --name counter rootfs:$PWD/bundle/rootfs -- sh -c ..");
    let args = [
        "run",
        "-d",
        "--name",
        "counter",
        "--runtime",
        runtime,
        &image,
        "--",
        "sh",
        "-c",
        COUNT,
    ];
    let printed = manager.conman(&args)?;
    show(&printed);
    let id = printed.split_whitespace().last().context("no id")?.to_owned();
    note_id(folder, &id)?;
    let status = manager.inspect(&id)?;
    let found = process(status.pid);
    let container = found.with_context(|| format!("{status:?}: not there"))?;
    status.demand_running(container.pid)?;
    ok(&format!("it runs; it is process {}", container.pid));
    let folder = folder.to_owned();
    Ok((manager, Story { folder, id, container, log: status.log }))
}

impl Story {
    fn show_the_family(&self, manager: &Manager) -> Result<()> {
        act("3. The family: the manager is nobody's parent");
        let all = process::all();
        let shim = self.shim()?;
        show(&process::tree(&all, manager.pid()).join("\n"));
        show(&process::tree(&all, shim.pid).join("\n"));
        ensure!(shim.parent != manager.pid(), "the shim is conmand's child");
        ok("the container's parent is conman-shim, which has left conmand");
        let seen = self.wait_for_line(3)?;
        typed("conman logs counter");
        show(&manager.conman(&["logs", &self.id])?);
        ok(&format!("{seen} lines so far"));
        Ok(())
    }

    fn kill_the_manager(&self, manager: Manager) -> Result<()> {
        act("4. Kill the manager");
        typed(&format!("kill -9 {}", manager.pid()));
        let status = manager.end_by(Signal::SIGKILL)?;
        ensure!(status.signal() == Some(9), "conmand: {status}");
        ok("conmand is gone");
        let before = self.counted()?;
        let after = self.wait_for_line(before + 3)?;
        self.demand_same_process()?;
        show(&process::tree(&process::all(), self.shim()?.pid).join("\n"));
        ok("the container is the same process as before");
        ok(&format!("its log went on: {before} lines, then {after}"));
        Ok(())
    }

    fn restart_the_manager(&self) -> Result<Manager> {
        act("5. Start the manager again");
        let manager = Manager::start(&self.folder)?;
        typed("conmand .. &");
        typed("conman ps");
        show(&manager.conman(&["ps"])?);
        manager.inspect(&self.id)?.demand_running(self.container.pid)?;
        self.demand_same_process()?;
        ok("the container is running, and still the same process");
        Ok(manager)
    }

    fn end_unwatched(&self, manager: Manager) -> Result<()> {
        act("6. Kill it again, and let the container end with nobody there");
        typed(&format!("kill -9 {}", manager.pid()));
        manager.end_by(Signal::SIGKILL)?;
        let shim = self.shim()?;
        println!("   it counts to {LAST} ..");
        until_ended(self.container.pid, PATIENCE)?;
        until_ended(shim.pid, PATIENCE)?;
        ok("the container has ended, and its shim after it");
        Ok(())
    }

    fn learn_the_exit_code(&self) -> Result<Manager> {
        act("7. Start the manager once more: what does it know?");
        let manager = Manager::start(&self.folder)?;
        typed("conmand .. &");
        typed("conman ps -a");
        show(&manager.conman(&["ps", "-a"])?);
        let status = manager.inspect(&self.id)?;
        ensure!(
            status.state == "CONTAINER_EXITED" && status.exit_code == EXIT_CODE,
            "expected CONTAINER_EXITED, {EXIT_CODE}; observed {status:?}"
        );
        ok("exited, with code 7");
        let expected: Vec<_> =
            (1..=LAST).map(|i| format!("count {i}")).collect();
        let logs = manager.conman(&["logs", &self.id])?;
        let logged: Vec<_> = logs.lines().collect();
        ensure!(logged == expected, "the log is not 1 to {LAST}: {logged:?}");
        ok(&format!("all {LAST} lines are in the log, in order, none twice"));
        Ok(manager)
    }

    fn remove(&self, manager: Manager) -> Result<()> {
        act("8. Clean up");
        typed("conman rm counter");
        manager.conman(&["rm", &self.id])?;
        let rest = manager.conman(&["ps", "-a"])?;
        ensure!(!rest.contains("counter"), "still listed: {rest}");
        ok("conmand knows of no container");
        typed(&format!("kill -TERM {}", manager.pid()));
        let status = manager.end_by(Signal::SIGTERM)?;
        ensure!(status.success(), "conmand: {status}");
        ok("conmand has ended with status 0");
        Ok(())
    }

    fn shim(&self) -> Result<Process> {
        let shim = process(self.container.parent).context("no shim")?;
        let program = fs::read_link(format!("/proc/{}/exe", shim.pid));
        let program = program.with_context(|| format!("{shim:?}"))?;
        ensure!(program.ends_with("conman-shim"), "the parent: {program:?}");
        Ok(shim)
    }

    fn demand_same_process(&self) -> Result<()> {
        let now = process(self.container.pid);
        if now.as_ref() != Some(&self.container) {
            bail!("expected {:?}, observed {now:?}", self.container);
        }
        Ok(())
    }

    /// Full lines in the container's log, read without any manager.
    fn counted(&self) -> Result<usize> {
        let text = fs::read_to_string(&self.log);
        let text = text.with_context(|| self.log.display().to_string())?;
        Ok(text.lines().filter(|line| line.contains(" F count ")).count())
    }

    fn wait_for_line(&self, wanted: usize) -> Result<usize> {
        let folder = self.log.parent().context("a log is in a directory")?;
        until(folder, PATIENCE, "the log grows", || {
            let lines = self.counted()?;
            Ok((lines >= wanted).then_some(lines))
        })
    }
}

fn act(title: &str) {
    println!("\n{title}");
}

fn typed(command: &str) {
    println!("   $ {command}");
}

fn show(text: &str) {
    text.lines().for_each(|line| println!("   | {}", cut(line, 5)));
}

fn ok(claim: &str) {
    println!("   ok: {claim}");
}
