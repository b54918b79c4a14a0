//! `podman run`: exit codes, what the program finds around it, and how long it
//! may run.

use crate::podman::{on_each_runtime, on_ours};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use testkit::{Need, requires};

#[test]
fn run_gives_the_output_and_the_exit_code() {
    on_each_runtime(|podman| {
        let answer = podman.sh(&[], "echo hello; exit 7");
        assert_eq!(answer, (Some(7), "hello\n".to_owned()));
    });
}

#[test]
fn a_program_that_is_not_there_is_127_and_one_that_is_no_program_126() {
    on_each_runtime(|podman| {
        for (program, code) in
            [("bahs", 127), ("/bahs", 127), ("/etc/passwd", 126), ("/etc", 126)]
        {
            let answer = podman.run(&["--rm"], &[program]);
            assert_eq!(answer, (Some(code), String::new()), "{program}");
        }
    });
}

#[test]
fn options_reach_the_program() {
    on_each_runtime(|podman| {
        podman.prints(&[
            (&["--env", "A=b"], "echo $A", "b\n"),
            (&["--hostname", "box"], "hostname", "box\n"),
            (&["--add-host", "a:1.2.3.4"], "grep -c 1.2.3.4 /etc/hosts", "1\n"),
            (&["--workdir", "/tmp"], "pwd", "/tmp\n"),
            (&["--umask", "077"], "umask", "0077\n"),
            (
                &["--oom-score-adj", "500"],
                "cat /proc/self/oom_score_adj",
                "500\n",
            ),
            (
                &["--ulimit", "nofile=100:200", "--ulimit", "nproc=90:90"],
                "ulimit -n; ulimit -Hn",
                "100\n200\n",
            ),
            (
                &["--sysctl", "kernel.msgmax=9000"],
                "cat /proc/sys/kernel/msgmax",
                "9000\n",
            ),
        ]);
    });
}

#[test]
fn namespaces_of_the_host_are_the_hosts() {
    on_each_runtime(|podman| {
        for kind in ["pid", "ipc", "uts", "net"] {
            let name = if kind == "net" { "network" } else { kind };
            let option = format!("--{name}=host");
            let file = format!("/proc/self/ns/{kind}");
            let host = std::fs::read_link(&file).expect("procfs is mounted");
            let (code, inside) =
                podman.sh(&[&option], &format!("readlink {file}"));
            assert_eq!(code, Some(0));
            assert_eq!(inside.trim(), host.to_string_lossy(), "{kind}");
        }
    });
}

#[test]
fn an_init_of_podmans_is_process_1() {
    if !requires(&[Need::Program("catatonit")]) {
        return;
    }
    on_each_runtime(|podman| {
        let script = "tr '\\0' ' ' </proc/1/cmdline | cut -d' ' -f1";
        podman.prints(&[(&["--init"], script, "/run/podman-init\n")]);
    });
}

#[test]
fn a_systemd_would_find_its_hierarchy_and_may_write_below_its_own_cgroup() {
    if !requires(&[Need::CgroupV1, Need::SystemdsHierarchy]) {
        return;
    }
    let script = "cd /sys/fs/cgroup/systemd; \
        cd ./$(grep name=systemd: /proc/self/cgroup | cut -d: -f3); \
        pwd | grep -o libpod-; grep -x 1 cgroup.procs; mkdir x && rmdir x";
    on_each_runtime(|podman| {
        podman.prints(&[(&["--systemd", "always"], script, "libpod-\n1\n")]);
    });
}

#[test]
fn a_timeout_ends_the_container() {
    on_each_runtime(|podman| {
        let (code, output) =
            podman.sh(&["--timeout", "1"], "echo begun; sleep 60; echo end");
        assert_eq!(output, "begun\n");
        assert_ne!(code, Some(0));
    });
}

#[test]
fn a_container_without_a_cgroup_stays_in_its_callers() {
    on_ours(|podman| {
        let script = "grep -c libpod /proc/self/cgroup";
        let answer = podman.sh(&["--cgroups", "disabled"], script);
        assert_eq!(answer, (Some(1), "0\n".to_owned()));
    });
}

#[test]
fn who_asked_to_be_notified_is_told_when_the_container_runs() {
    on_each_runtime(|podman| {
        let path = podman.scratch.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("the directory is ours");
        let limit = Duration::from_secs(20);
        socket.set_read_timeout(Some(limit)).expect("it is not zero");
        let options = ["--detach", "--sdnotify", "conmon"];
        let run = podman.run_arguments(&options, &["sleep", "60"]);
        let mut command = podman.command(&run);
        let status = command.env("NOTIFY_SOCKET", &path).output();
        assert!(status.is_ok_and(|output| output.status.success()));
        let mut words = [0; 100];
        let count = socket.recv(&mut words).expect("a message comes");
        let words = String::from_utf8_lossy(&words[..count]);
        assert!(words.ends_with("READY=1"), "{words}");
    });
}

#[test]
fn a_container_that_notifies_by_itself_finds_the_socket() {
    on_each_runtime(|podman| {
        let path = podman.scratch.path().join("notify");
        let _socket = UnixDatagram::bind(&path).expect("the directory is ours");
        let options = ["--rm", "--sdnotify", "container"];
        let run = podman
            .run_arguments(&options, &["sh", "-c", "test -S $NOTIFY_SOCKET"]);
        let mut command = podman.command(&run);
        let output = command.env("NOTIFY_SOCKET", &path).output();
        assert!(output.is_ok_and(|output| output.status.success()));
    });
}

#[test]
fn podman_tells_the_runtimes_version() {
    on_each_runtime(|podman| {
        let format = ["--format", "{{.Host.OCIRuntime.Version}}"];
        let version = podman.ok(&[&["info"], &format[..]].concat());
        assert!(version.contains(" version "), "{version}");
        assert!(version.contains("spec: 1."), "{version}");
    });
}
