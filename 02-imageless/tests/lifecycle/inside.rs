//! What the container's process finds: each of these a line of config.json.

use super::driver::{Driver, OURS, on_each_runtime, on_ours};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use serde_json::json;
use std::fs::{self, File};

#[test]
fn no_descriptor_of_the_caller_but_stdio_gets_in() {
    on_each_runtime(&["ls", "/proc/self/fd"], |driver| {
        let secret = File::open("/etc/passwd").unwrap();
        fcntl(&secret, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        // 3 is the directory that ls itself has open.
        assert_eq!(driver.output(), "0\n1\n2\n3\n", "{}", driver.runtime.name);
    });
}

#[test]
fn preserved_descriptors_get_in() {
    on_each_runtime(&["ls", "/proc/self/fd"], |driver| {
        let shell = "exec 3</etc/passwd; exec \"$@\"";
        let mut command = std::process::Command::new("sh");
        let runtime =
            driver.command(&["run", "--preserve-fds", "1", driver.id()]);
        command.args(["-c", shell, "sh"]).arg(runtime.get_program());
        command.args(runtime.get_args()).current_dir(driver.bundle.path());
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n1\n2\n3\n4\n");
    });
}

#[test]
fn the_process_has_the_configured_user_groups_directory_and_environment() {
    on_each_runtime(&[], |driver| {
        driver.set("/process/user", json!({"uid": 1000, "gid": 1001, "additionalGids": [5, 6], "umask": 0o77}));
        driver.set("/process/cwd", json!("/tmp"));
        driver.set("/process/env", json!(["PATH=/bin", "COLOR=blue"]));
        driver.set_script("id -u; id -g; id -G; umask; pwd; echo $COLOR");
        assert_eq!(driver.output(), "1000\n1001\n1001 5 6\n0077\n/tmp\nblue\n");
    });
}

#[test]
fn a_home_that_is_not_configured_is_the_one_of_passwd() {
    on_each_runtime(&[], |driver| {
        driver.set_script("echo $HOME");
        assert_eq!(driver.output(), "/root\n", "{}", driver.runtime.name);
        driver.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        assert_eq!(driver.output(), "/\n", "{}", driver.runtime.name);
        driver.set("/process/env", json!(["PATH=/bin", "HOME=/var"]));
        assert_eq!(driver.output(), "/var\n", "{}", driver.runtime.name);
    });
}

#[test]
fn the_process_has_the_configured_capabilities_and_no_others() {
    on_each_runtime(&["grep", "Cap\\|NoNew", "/proc/self/status"], |driver| {
        let kill = json!(["CAP_KILL"]);
        let sets = json!({"bounding": ["CAP_KILL", "CAP_CHOWN"], "permitted": kill, "effective": kill});
        driver.set("/process/capabilities", sets);
        driver.set("/process/noNewPrivileges", json!(true));
        let output = driver.output();
        let expected = [
            ("CapInh", 0),
            // Root would gain all of its bounding set, but for no_new_privs.
            ("CapPrm", 0x20),
            ("CapEff", 0x20),
            ("CapBnd", 0x21),
            ("CapAmb", 0),
        ];
        for (line, (name, bits)) in output.lines().zip(expected) {
            assert_eq!(
                line,
                format!("{name}:\t{bits:016x}"),
                "{}",
                driver.runtime.name
            );
        }
        assert_eq!(output.lines().last(), Some("NoNewPrivs:\t1"));
    });
}

#[test]
fn a_user_other_than_root_keeps_ambient_capabilities_only() {
    on_each_runtime(&["grep", "CapEff", "/proc/self/status"], |driver| {
        driver.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        let (both, one) =
            (json!(["CAP_KILL", "CAP_CHOWN"]), json!(["CAP_KILL"]));
        let sets = json!({"bounding": both, "permitted": both, "effective": both, "inheritable": one, "ambient": one});
        driver.set("/process/capabilities", sets);
        assert_eq!(driver.output(), "CapEff:\t0000000000000020\n");
    });
}

#[test]
fn the_root_is_the_bundles_and_read_only_if_configured() {
    on_each_runtime(&[], |driver| {
        fs::write(driver.bundle.rootfs().join("mark"), "here\n").unwrap();
        driver.set("/root/readonly", json!(true));
        driver.set_script("cat /mark; touch /new 2>/dev/null || echo refused; ls /.. | grep mark");
        assert_eq!(driver.output(), "here\nrefused\nmark\n");
    });
}

#[test]
fn a_bind_mount_is_there_with_its_options_and_nowhere_else() {
    on_each_runtime(&[], |driver| {
        let source = driver.scratch.path().join("source");
        fs::create_dir(&source).unwrap();
        fs::write(source.join("file"), "shared\n").unwrap();
        let mounts = json!([
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/mnt/a/b", "type": "bind", "source": source, "options": ["rbind", "ro"]},
            {"destination": "/etc/one", "type": "bind", "source": source.join("file"), "options": ["bind", "nosuid", "noexec"]},
        ]);
        driver.set("/mounts", mounts);
        driver.set_script(
            "cat /mnt/a/b/file /etc/one; touch /mnt/a/b/x 2>/dev/null || echo refused; grep -c ' /etc/one .*nosuid.*noexec' /proc/self/mountinfo",
        );
        assert_eq!(driver.output(), "shared\nshared\nrefused\n1\n");
    });
}

#[test]
fn masked_paths_are_empty_and_read_only_paths_refuse_writing() {
    on_each_runtime(&[], |driver| {
        driver.set(
            "/linux/maskedPaths",
            json!(["/proc/timer_list", "/sys/firmware", "/not/there"]),
        );
        driver.set("/linux/readonlyPaths", json!(["/proc/sys", "/not/there"]));
        driver.set_script("wc -c </proc/timer_list; ls /sys/firmware | wc -l; echo x 2>/dev/null >/proc/sys/kernel/hostname || echo refused");
        assert_eq!(driver.output(), "0\n0\nrefused\n");
    });
}

#[test]
fn hostname_and_sysctls_are_the_containers_own() {
    on_each_runtime(&[], |driver| {
        let host = fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap();
        driver.set(
            "/linux/sysctl",
            json!({"net.ipv4.ip_forward": "1", "kernel.shmmni": "17"}),
        );
        driver.set_script("hostname; cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni");
        assert_eq!(driver.output(), "box\n1\n17\n");
        assert_eq!(
            fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap(),
            host
        );
    });
}

#[test]
fn the_devices_and_links_of_every_container_are_there() {
    on_each_runtime(&[], |driver| {
        driver.set("/linux/devices", json!([{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o600, "uid": 1, "gid": 2}]));
        driver.set_script(
            "cd /dev; stat -c '%n %F %t:%T' null zero full random urandom tty; for l in fd stdin stdout stderr ptmx; do readlink $l; done; stat -c '%a %u:%g %t:%T' fuse",
        );
        let expected = "null character special file 1:3\nzero character special file 1:5\n\
            full character special file 1:7\nrandom character special file 1:8\n\
            urandom character special file 1:9\ntty character special file 5:0\n\
            /proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n600 1:2 a:e5\n";
        assert_eq!(driver.output(), expected, "{}", driver.runtime.name);
    });
}

/// Gives the container a user namespace that has nothing of the machine's root.
fn map_root_to_somebody_else(driver: &Driver) {
    let map = json!([{"containerID": 0, "hostID": 100_000, "size": 65_536}]);
    driver.set("/linux/uidMappings", map.clone());
    driver.set("/linux/gidMappings", map);
    driver.set(
        "/linux/namespaces",
        json!([{"type": "pid"}, {"type": "network"}, {"type": "ipc"},
        {"type": "uts"}, {"type": "mount"}, {"type": "user"}]),
    );
    driver.set("/mounts", json!([{"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]}]));
    driver.set("/linux/maskedPaths", json!([]));
    driver.set("/linux/readonlyPaths", json!([]));
    let (uid, gid) = (Some(100_000.into()), Some(100_000.into()));
    nix::unistd::chown(&driver.bundle.rootfs(), uid, gid).expect(OURS);
    driver.open_to_all();
}

#[test]
fn a_user_namespace_maps_its_root_to_somebody_else() {
    on_each_runtime(&[], |driver| {
        map_root_to_somebody_else(driver);
        driver.set_script(
            "id -u; cat /proc/self/uid_map; echo x >/dev/null && echo writable",
        );
        let output = driver.output();
        let words: Vec<_> = output.split_whitespace().collect();
        assert_eq!(
            words,
            ["0", "0", "100000", "65536", "writable"],
            "{}",
            driver.runtime.name
        );
    });
}

#[test]
fn a_score_for_the_oom_killer_holds_in_a_user_namespace_too() {
    on_each_runtime(&["cat", "/proc/self/oom_score_adj"], |driver| {
        map_root_to_somebody_else(driver);
        driver.set("/process/oomScoreAdj", json!(321));
        assert_eq!(driver.output(), "321\n", "{}", driver.runtime.name);
    });
}

#[test]
fn a_namespace_with_a_path_is_shared() {
    on_each_runtime(&["readlink", "/proc/self/ns/uts"], |driver| {
        let own = fs::read_link("/proc/self/ns/uts").unwrap();
        driver.set("/hostname", json!(""));
        driver.set(
            "/linux/namespaces",
            json!([{"type": "pid"}, {"type": "mount"}, {"type": "network"},
            {"type": "ipc"}, {"type": "uts", "path": "/proc/self/ns/uts"}]),
        );
        assert_eq!(driver.output().trim(), own.to_str().unwrap());
    });
}

#[test]
fn rlimits_and_oom_score_are_set() {
    on_each_runtime(&[], |driver| {
        driver.set(
            "/process/rlimits",
            json!([{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]),
        );
        driver.set("/process/oomScoreAdj", json!(123));
        driver
            .set_script("ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj");
        assert_eq!(driver.output(), "100\n200\n123\n");
    });
}

#[test]
fn the_domainname_is_the_containers_own() {
    // Debian's runc 1.1 is older than the field.
    on_ours(&["cat", "/proc/sys/kernel/domainname"], |driver| {
        let name = || fs::read_to_string("/proc/sys/kernel/domainname");
        let before = name().unwrap();
        driver.set("/domainname", json!("example.org"));
        assert_eq!(driver.output(), "example.org\n");
        assert_eq!(name().unwrap(), before);
    });
}
