//! What the program may do: users, capabilities, the filter of system calls,
//! devices.

use crate::podman::on_each_runtime;

#[test]
fn the_user_and_its_groups_are_those_that_were_asked_for() {
    on_each_runtime(|podman| {
        podman.prints(&[(
            &["--user", "1000:1001", "--group-add", "5"],
            "id -u; id -g; id -G",
            "1000\n1001\n1001 5\n",
        )]);
    });
}

#[test]
fn capabilities_are_dropped_and_added() {
    const EFFECTIVE: &str = "grep CapEff /proc/self/status | cut -f2";
    on_each_runtime(|podman| {
        podman.prints(&[
            (&["--cap-drop", "ALL"], EFFECTIVE, "0000000000000000\n"),
            (
                &["--cap-drop", "ALL", "--cap-add", "NET_ADMIN"],
                EFFECTIVE,
                "0000000000001000\n",
            ),
        ]);
    });
}

#[test]
fn nothing_gives_new_privileges_where_that_was_asked_for() {
    on_each_runtime(|podman| {
        podman.prints(&[(
            &["--security-opt", "no-new-privileges"],
            "grep NoNewPrivs /proc/self/status",
            "NoNewPrivs:\t1\n",
        )]);
    });
}

#[test]
fn system_calls_are_filtered_by_podmans_rules_or_a_file_or_not_at_all() {
    on_each_runtime(|podman| {
        let rules = podman.scratch.path().join("rules.json");
        let no_mkdir = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
            [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}"#;
        std::fs::write(&rules, no_mkdir).expect("the directory is ours");
        let option = format!("seccomp={}", rules.display());
        let mode = "grep Seccomp: /proc/self/status";
        podman.prints(&[
            (&[], mode, "Seccomp:\t2\n"),
            (
                &["--security-opt", &option],
                "mkdir /tmp/a 2>&1 | cut -d: -f3",
                " Function not implemented\n",
            ),
            (&["--security-opt", "seccomp=unconfined"], mode, "Seccomp:\t0\n"),
        ]);
    });
}

#[test]
fn a_privileged_container_has_all_devices_and_no_filter() {
    on_each_runtime(|podman| {
        podman.prints(&[(
            &["--privileged"],
            "grep Seccomp: /proc/self/status; readlink /dev/ptmx; \
             test $(ls /dev | wc -l) -gt 20 && echo many",
            "Seccomp:\t0\npts/ptmx\nmany\n",
        )]);
    });
}

#[test]
fn a_device_is_there_by_the_name_that_was_asked_for_and_may_be_opened() {
    on_each_runtime(|podman| {
        podman.prints(&[(
            &["--device", "/dev/full:/dev/over:rw"],
            "echo x 2>&1 >/dev/over | cut -d: -f3",
            " No space left on device\n",
        )]);
    });
}

#[test]
fn a_device_that_a_program_makes_is_opened_only_if_a_rule_says_so() {
    // 10:229 is the device for file systems of programs. It need not exist: the rule is asked
    // first.
    let script = "mknod /tmp/t c 10 229; (: </tmp/t) 2>&1 | grep -c permitted; \
                  rm /tmp/t";
    on_each_runtime(|podman| {
        podman.prints(&[
            (&[], script, "1\n"),
            (&["--device-cgroup-rule", "c 10:229 rwm"], script, "0\n"),
        ]);
    });
}

#[test]
fn masks_are_added() {
    on_each_runtime(|podman| {
        podman.prints(&[(
            &["--security-opt", "mask=/etc"],
            "ls /etc | wc -l",
            "0\n",
        )]);
    });
}

#[test]
fn root_of_a_user_namespace_is_somebody_else_outside() {
    on_each_runtime(|podman| {
        // What a run mounts on, such as /etc/hosts, only the host's root can
        // make in this root file system; and only he can open what is mounted.
        podman.prints(&[(&[], "true", "")]);
        podman.prints(&[(
            &["--uidmap", "0:100000:5000", "--hostname", "box"],
            "awk '{ print $1, $2, $3 }' /proc/self/uid_map; id -u; \
             grep -c box /etc/hostname",
            "0 100000 5000\n0\n1\n",
        )]);
    });
}
