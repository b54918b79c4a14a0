//! containerd, with its shim for runc, on runc first and then on ours: the
//! shim's `Options.binary_name` is all that differs.

mod containerd;
mod streams;
mod watching;

use containerd::{PATIENCE, on_each_runtime};
use testkit::eventually;

#[test]
fn run_gives_the_output_and_the_exit_code() {
    on_each_runtime(|ctr| {
        let answer = ctr.sh(&[], "echo hello; exit 7");
        assert_eq!(answer, (Some(7), "hello\n".to_owned()));
    });
}

#[test]
fn a_program_that_is_not_there_leaves_no_task() {
    on_each_runtime(|ctr| {
        let (code, _) = ctr.run(&["--rm"], &["bahs"]);
        assert_ne!(code, Some(0));
        assert_eq!(ctr.call(&["task", "ls", "--quiet"]).1, "");
    });
}

#[test]
fn options_reach_the_container() {
    on_each_runtime(|ctr| {
        for (options, script, output) in [
            (&["--read-only"][..], "touch /x 2>/dev/null || echo no", "no\n"),
            (&["--env", "A=b"], "echo $A", "b\n"),
            (&[], "grep Seccomp: /proc/self/status", "Seccomp:\t0\n"),
            (
                &["--seccomp"],
                "grep Seccomp: /proc/self/status",
                "Seccomp:\t2\n",
            ),
            (
                &["--privileged"],
                "test $(ls /dev | wc -l) -gt 20 && echo many",
                "many\n",
            ),
            (&["--cwd", "/tmp"], "pwd", "/tmp\n"),
            (
                &["--cap-drop", "CAP_CHOWN"],
                "grep CapEff /proc/self/status | grep -c '[02468ace]$'",
                "1\n",
            ),
            (
                &["--mount", "type=bind,src=/etc,dst=/mnt,options=rbind:ro"],
                "touch /mnt/x 2>/dev/null || echo no",
                "no\n",
            ),
        ] {
            let answer = ctr.sh(options, script);
            assert_eq!(answer, (Some(0), output.to_owned()), "{options:?}");
        }
    });
}

#[test]
fn a_limit_reaches_the_kernel() {
    on_each_runtime(|ctr| {
        ctr.start_with(&["--memory-limit", "33554432"]);
        assert_eq!(ctr.memory_limit(), "33554432");
    });
}

#[test]
fn exec_joins_the_container() {
    on_each_runtime(|ctr| {
        ctr.start();
        let script = "cat /proc/1/cmdline; exit 5";
        let (code, output) = ctr.exec(&["sh", "-c", script]);
        assert_eq!((code, output.contains("sleep")), (Some(5), true));
    });
}

#[test]
fn a_task_is_paused_and_resumed() {
    on_each_runtime(|ctr| {
        ctr.start();
        for (verb, status) in [("pause", "PAUSED"), ("resume", "RUNNING")] {
            assert_eq!(ctr.call(&["task", verb, ctr.id()]).0, Some(0));
            let tasks = ctr.call(&["task", "ls"]).1;
            assert!(tasks.contains(status), "{tasks}");
        }
    });
}

#[test]
fn a_task_is_killed() {
    on_each_runtime(|ctr| {
        ctr.start();
        let id = ctr.id();
        let kill = ["task", "kill", "--signal", "KILL", id];
        assert_eq!(ctr.call(&kill).0, Some(0));
        ctr.wait_until_stopped();
        let (code, said) = ctr.call(&["task", "rm", id]);
        assert_eq!((code, said.contains("exit code 137")), (Some(0), true));
        assert_eq!(ctr.call(&["task", "ls", "--quiet"]).1, "");
    });
}

#[test]
fn the_processes_of_a_task_are_listed() {
    on_each_runtime(|ctr| {
        ctr.start();
        let (code, listed) = ctr.call(&["task", "ps", ctr.id()]);
        assert_eq!((code, listed.lines().count()), (Some(0), 2), "{listed}");
    });
}

#[test]
fn a_signal_to_all_reaches_those_that_are_not_the_first() {
    on_each_runtime(|ctr| {
        // As process 1 of its namespace the first one does not hear SIGTERM.
        let two = ["sh", "-c", "sleep 60 & exec sleep 60"];
        assert_eq!(ctr.run(&["--detach"], &two).0, Some(0));
        let processes = || ctr.call(&["task", "ps", ctr.id()]).1;
        let count = |count: usize| {
            eventually(PATIENCE, "so many processes", || {
                (processes().lines().count() == 1 + count).then_some(())
            });
        };
        count(2);
        let kill = ["task", "kill", "--all", "--signal", "TERM", ctr.id()];
        assert_eq!(ctr.call(&kill).0, Some(0));
        count(1);
    });
}

#[test]
fn the_hosts_network_is_the_tasks_where_that_was_asked_for() {
    on_each_runtime(|ctr| {
        let file = "/proc/self/ns/net";
        let host = std::fs::read_link(file).expect("procfs is mounted");
        let answer = ctr.sh(&["--net-host"], &format!("readlink {file}"));
        assert_eq!(answer, (Some(0), format!("{}\n", host.display())));
    });
}

#[test]
fn a_checkpoint_is_refused_and_the_task_goes_on() {
    on_each_runtime(|ctr| {
        ctr.start();
        let (code, _) = ctr.call(&["task", "checkpoint", ctr.id()]);
        assert_eq!(code, Some(1));
        assert_eq!(ctr.exec(&["echo", "alive"]).1, "alive\n");
    });
}
