//! containerd, with its shim for runc, on runc first and then on ours: the
//! shim's `Options.binary_name` is all that differs.

mod containerd;

use containerd::on_each_runtime;

#[test]
fn run_gives_the_output_and_the_exit_code() {
    on_each_runtime(|ctr| {
        let answer = ctr.run(&["--rm"], &["sh", "-c", "echo hello; exit 7"]);
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
fn run_with_a_terminal_gives_one() {
    on_each_runtime(|ctr| {
        let (code, output) = ctr.run_on_a_terminal(&["tty"]);
        assert_eq!(code, Some(0), "{output}");
        assert!(output.contains("/dev/pts/0"), "{output}");
    });
}

#[test]
fn options_reach_the_container() {
    on_each_runtime(|ctr| {
        for (options, script, output) in [
            (&["--read-only"][..], "touch /x 2>/dev/null || echo no", "no\n"),
            (&["--env", "A=b"], "echo $A", "b\n"),
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
            let options = [&["--rm"], options].concat();
            let answer = ctr.run(&options, &["sh", "-c", script]);
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
