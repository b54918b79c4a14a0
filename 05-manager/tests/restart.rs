//! conmand is killed, and started again: containers go on, and what became of
//! them is known.

#![allow(clippy::unwrap_used, reason = "to panic is to fail, in a test")]

mod daemon;

use std::fs;

use daemon::{Conmand, PATIENCE, runc_that_hangs_in};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::{Need, Scratch, eventually, requires, runtimes};

const NEEDS: [Need; 2] = [Need::Root, Need::Program("runc")];

fn on_each_runtime(test: impl Fn(&mut Conmand<'_>) -> Vec<String>) {
    if !requires(&NEEDS) {
        return;
    }
    for runtime in runtimes() {
        eprintln!("on {}", runtime.name);
        let scratch = Scratch::new();
        let mut conmand = Conmand::start(&scratch, &runtime);
        let ids = test(&mut conmand);
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        conmand.demand_nothing_left(&ids);
    }
}

fn has_ended(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| stat.contains(") Z "))
}

#[test]
fn after_a_crash_the_running_go_on_and_the_ended_have_their_exit_code() {
    on_each_runtime(|conmand| {
        let wait = "while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 9";
        let ticks =
            "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.1; done";
        let runs = conmand.run_detached(&["--name", "runs"], ticks);
        let ends = conmand.run_detached(&[], wait);
        let dead = conmand.run_detached(&[], "exit 4");
        assert_eq!(conmand.wait(&dead), 4);
        let (pid, shim) = (conmand.pid(&runs), conmand.shim_pid(&ends));
        let go = conmand.rootfs.join("tmp/go");

        conmand.kill();
        fs::write(&go, "").unwrap();
        let log = conmand.root_dir().join("containers").join(&runs).join("log");
        let length = || fs::metadata(&log).unwrap().len();
        let before = length();
        eventually(PATIENCE, "it writes on", || {
            (length() > before).then_some(())
        });
        eventually(PATIENCE, "it has ended", || has_ended(shim).then_some(()));

        conmand.start_again();
        assert_eq!(conmand.state(&runs), ("RUNNING".to_owned(), 0));
        assert_eq!(conmand.pid(&runs), pid, "the same process");
        assert_eq!(conmand.state(&ends), ("EXITED".to_owned(), 9));
        assert_eq!(conmand.state(&dead), ("EXITED".to_owned(), 4));
        assert!(conmand.ok(&["logs", &runs]).starts_with("tick 1\ntick 2\n"));

        conmand.ok(&["stop", "-t", "0", "runs"]);
        assert_eq!(conmand.state(&runs), ("EXITED".to_owned(), 137));
        conmand.ok(&["rm", &runs, &ends, &dead]);
        vec![runs, ends, dead]
    });
}

/// Writes another phase into a record, as if conmand had died there.
fn set_phase(conmand: &Conmand<'_>, id: &str, from: &str, to: &str) {
    let dir = conmand.root_dir().join("containers").join(id);
    let file = dir.join("state.json");
    let text = fs::read_to_string(&file).unwrap();
    let phase = |name| format!("\"phase\": \"{name}\"");
    assert!(text.contains(&phase(from)), "{text}");
    fs::write(file, text.replace(&phase(from), &phase(to))).unwrap();
}

#[test]
fn what_was_half_made_or_half_removed_is_gone_after_the_next_start() {
    on_each_runtime(|conmand| {
        let made = conmand.run_detached(&["--name", "made"], "sleep 1000");
        let removed = conmand.run_detached(&["--name", "gone"], "sleep 1000");
        let pids = [conmand.pid(&made), conmand.shim_pid(&removed)];
        conmand.kill();
        set_phase(conmand, &made, "started", "creating");
        set_phase(conmand, &removed, "started", "removing");
        conmand.start_again();
        assert_eq!(conmand.ok(&["ps", "-a", "-q"]), "");
        for pid in pids {
            eventually(PATIENCE, "it ends", || has_ended(pid).then_some(()));
        }
        remove_all_pods(conmand);
        vec![made, removed]
    });
}

#[test]
fn a_crash_while_the_runtime_creates_leaves_nothing() {
    if !requires(&NEEDS) {
        return;
    }
    let scratch = Scratch::new();
    let hangs = runc_that_hangs_in(&scratch, "create");
    let mut conmand = Conmand::start(&scratch, &hangs);
    let image = conmand.image();
    let run = ["run", "-d", &image, "--", "sleep", "1000"];
    let mut conman = conmand.command(&run).spawn().unwrap();
    let hung = scratch.path().join("hung");
    eventually(PATIENCE, "it hangs", || hung.exists().then_some(()));
    conmand.kill();
    assert_eq!(conman.wait().unwrap().code(), Some(125));

    conmand.start_again();
    assert_eq!(conmand.ok(&["ps", "-a", "-q"]), "");
    remove_all_pods(&conmand);
    conmand.demand_nothing_left(&[]);
}

#[test]
fn a_start_that_was_cut_in_two_is_settled_by_asking_the_runtime() {
    on_each_runtime(|conmand| {
        let id = conmand.run_detached(&[], "sleep 1000");
        conmand.kill();
        set_phase(conmand, &id, "started", "starting");
        conmand.start_again();
        assert_eq!(conmand.state(&id).0, "RUNNING");
        conmand.ok(&["rm", "-f", &id]);
        vec![id]
    });
}

#[test]
fn a_container_whose_shim_was_killed_runs_on_and_can_be_stopped() {
    on_each_runtime(|conmand| {
        let id = conmand.run_detached(&[], "sleep 1000");
        let process = |is: &str| {
            let now = &conmand.inspect(&id)["info"]["process"];
            (now == is).then_some(())
        };
        kill(Pid::from_raw(conmand.shim_pid(&id)), Signal::SIGKILL).unwrap();
        eventually(PATIENCE, "it is noticed", || process("Unmonitored"));
        assert_eq!(conmand.state(&id).0, "RUNNING");

        conmand.ok(&["stop", "-t", "0", &id]);
        assert_eq!(conmand.state(&id), ("EXITED".to_owned(), 255));
        let status = conmand.inspect(&id)["status"].clone();
        assert_eq!(status["reason"], "Unknown");
        assert!(status["message"].as_str().unwrap().contains("shim"));

        conmand.kill();
        conmand.start_again();
        assert_eq!(conmand.inspect(&id)["status"], status, "told the same");
        conmand.ok(&["rm", &id]);
        vec![id]
    });
}

#[test]
fn a_shim_and_container_lost_while_nobody_looked_are_an_exit_with_255() {
    on_each_runtime(|conmand| {
        let id = conmand.run_detached(&[], "sleep 1000");
        let (pid, shim) = (conmand.pid(&id), conmand.shim_pid(&id));
        conmand.kill();
        kill(Pid::from_raw(shim), Signal::SIGKILL).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        eventually(PATIENCE, "it ends", || has_ended(pid).then_some(()));
        conmand.start_again();
        assert_eq!(conmand.state(&id), ("EXITED".to_owned(), 255));
        conmand.ok(&["rm", &id]);
        vec![id]
    });
}

#[test]
fn asked_to_end_conmand_ends_and_its_containers_go_on() {
    on_each_runtime(|conmand| {
        let id = conmand.run_detached(&[], "sleep 1000");
        let pid = conmand.pid(&id);
        assert!(conmand.terminate().success());
        assert!(!daemon::socket(conmand.scratch).exists());
        assert!(!has_ended(pid));
        conmand.start_again();
        assert_eq!(conmand.pid(&id), pid);
        conmand.ok(&["rm", "-f", &id]);
        vec![id]
    });
}

/// `conman rm` finds a pod by its container; these have none any more.
fn remove_all_pods(conmand: &Conmand<'_>) {
    use manager::cri::{ListPodSandboxRequest, RemovePodSandboxRequest};
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut cri = conmand.cri().await;
        let list = cri.list_pod_sandbox(ListPodSandboxRequest::default()).await;
        for pod in list.unwrap().into_inner().items {
            let request = RemovePodSandboxRequest { pod_sandbox_id: pod.id };
            cri.remove_pod_sandbox(request).await.unwrap();
        }
    });
}
