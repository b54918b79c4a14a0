//! A container's whole life through conman: on runc first, then on ours.

mod daemon;

use std::time::{Duration, Instant};

use daemon::{Conmand, PATIENCE};
use testkit::{Need, Scratch, eventually, requires, runtimes};

const NEEDS: [Need; 2] = [Need::Root, Need::Program("runc")];

/// Runs a test on each runtime, each with a conmand of its own, and demands
/// that nothing stays.
fn on_each_runtime(test: impl Fn(&Conmand<'_>) -> Vec<String>) {
    if !requires(&NEEDS) {
        return;
    }
    for runtime in runtimes() {
        eprintln!("on {}", runtime.name);
        let scratch = Scratch::new();
        let conmand = Conmand::start(&scratch, &runtime);
        let ids = test(&conmand);
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        conmand.demand_nothing_left(&ids);
    }
}

#[test]
fn a_foreground_run_prints_both_streams_and_returns_the_exit_code() {
    on_each_runtime(|conmand| {
        let script = "echo out; echo oops >&2; printf half; exit 7";
        let image = conmand.image();
        let run = ["run", "--rm", &image, "--", "sh", "-c", script];
        let output = conmand.conman(&run);
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "out\nhalf");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "oops\n");
        vec![]
    });
}

#[test]
fn a_container_runs_as_asked_until_it_is_stopped_and_removed() {
    on_each_runtime(|conmand| {
        let script = "echo $A $(pwd) $(hostname) $(ip -o addr | wc -l); \
                      trap 'exit 3' TERM; while :; do sleep 0.1; done";
        let options = ["--name", "web", "--hostname", "pod", "-e", "A=b c"];
        let options = [&options[..], &["-w", "/tmp"]].concat();
        let id = conmand.run_detached(&options, script);
        assert_eq!(conmand.state(&id), ("RUNNING".to_owned(), 0));
        // Two addresses: the loopback device's own, of a network of its own.
        conmand.wait_for_log(&id, "b c /tmp pod 2\n");
        assert!(conmand.ok(&["ps"]).contains("web"));
        assert_ne!(daemon::cgroups(&id).len(), 0);

        assert!(conmand.refused(&["rm", "web"]).contains("web is running"));
        conmand.ok(&["stop", "web"]);
        assert_eq!(conmand.state(&id), ("EXITED".to_owned(), 3));
        conmand.ok(&["rm", &id[..13]]);
        vec![id]
    });
}

#[test]
fn a_container_that_ignores_its_stop_signal_is_killed() {
    on_each_runtime(|conmand| {
        let script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
        let id = conmand.run_detached(&[], script);
        conmand.wait_for_log(&id, "ready");
        conmand.ok(&["stop", "-t", "1", &id]);
        assert_eq!(conmand.state(&id), ("EXITED".to_owned(), 137));
        let status = &conmand.inspect(&id)["status"];
        assert_eq!(status["message"], "killed by signal 9");
        conmand.ok(&["rm", &id]);
        vec![id]
    });
}

#[test]
fn logs_follow_a_container_to_its_last_byte() {
    on_each_runtime(|conmand| {
        let script = "for i in 1 2 3; do echo $i; sleep 0.1; done; printf end";
        let id = conmand.run_detached(&[], script);
        assert_eq!(conmand.ok(&["logs", "-f", &id]), "1\n2\n3\nend");
        conmand.ok(&["rm", &id]);
        vec![id]
    });
}

#[test]
fn an_interrupt_stops_the_container_and_its_code_is_returned() {
    on_each_runtime(|conmand| {
        let script = "trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done";
        let image = conmand.image();
        let run = ["run", "--name", "i", &image, "--", "sh", "-c", script];
        let mut conman = conmand.command(&run);
        let mut conman =
            conman.stdout(std::process::Stdio::piped()).spawn().unwrap();
        eventually(PATIENCE, "the container is up", || {
            let output = conmand.conman(&["logs", "i"]);
            (output.stdout == b"up\n").then_some(())
        });
        let pid = nix::unistd::Pid::from_raw(conman.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
        assert_eq!(conman.wait().unwrap().code(), Some(5));
        conmand.ok(&["rm", "i"]);
        vec![]
    });
}

#[test]
fn with_the_hosts_network_the_devices_and_the_name_are_the_hosts() {
    on_each_runtime(|conmand| {
        let image = conmand.image();
        let script = "readlink /proc/self/ns/net; hostname";
        let run = ["run", "--rm", "--network", "host", &image];
        let run = [&run[..], &["--", "sh", "-c", script]].concat();
        let net = std::fs::read_link("/proc/self/ns/net").unwrap();
        let name = nix::unistd::gethostname().unwrap();
        let (net, name) = (net.to_string_lossy(), name.to_string_lossy());
        assert_eq!(conmand.ok(&run), format!("{net}\n{name}\n"));
        vec![]
    });
}

#[test]
fn removing_by_force_does_not_wait_for_the_stop_signal() {
    on_each_runtime(|conmand| {
        let id = conmand.run_detached(&[], "trap '' TERM; sleep 1000");
        let begin = Instant::now();
        conmand.ok(&["rm", "-f", &id]);
        assert!(begin.elapsed() < Duration::from_secs(8));
        vec![id]
    });
}
