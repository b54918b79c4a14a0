//! Limits, as the kernel has them: files of cgroup v1 or, where that is
//! mounted, of v2.

use crate::podman::on_each_runtime;

/// Reads the first of two files that is there.
fn either(v1: &str, v2: &str) -> String {
    format!("cd /sys/fs/cgroup; cat {v1} 2>/dev/null || cat {v2}")
}

#[test]
fn limits_reach_the_kernel() {
    on_each_runtime(|podman| {
        let memory = either("memory/memory.limit_in_bytes", "memory.max");
        let low = either("memory/memory.soft_limit_in_bytes", "memory.low");
        let quota = either("cpu/cpu.cfs_quota_us", "cpu.max");
        let quota = format!("{quota} | cut -d' ' -f1");
        let cpus = either("cpuset/cpuset.cpus", "cpuset.cpus");
        let pids = either("pids/pids.max", "pids.max");
        podman.prints(&[
            (&["--memory", "64m"], &memory, "67108864\n"),
            (
                &["--memory", "64m", "--memory-reservation", "16m"],
                &low,
                "16777216\n",
            ),
            (&["--cpus", "0.5"], &quota, "50000\n"),
            (&["--cpuset-cpus", "0"], &cpus, "0\n"),
            (&["--pids-limit", "33"], &pids, "33\n"),
            (&["--pids-limit", "-1"], &pids, "max\n"),
        ]);
    });
}

#[test]
fn a_limit_on_processes_is_one() {
    on_each_runtime(|podman| {
        let script = "sleep 9 & sleep 9 & sleep 9 & echo no";
        let (code, output) = podman.sh(&["--pids-limit", "2"], script);
        assert_eq!((code, output.as_str()), (Some(2), ""));
    });
}

#[test]
fn who_takes_more_memory_than_the_limit_is_killed() {
    on_each_runtime(|podman| {
        let script = "x=a; while :; do x=$x$x; done";
        let (code, _) = podman.sh(&["--memory", "8m"], script);
        assert_eq!(code, Some(137));
    });
}

#[test]
fn statistics_are_those_of_the_container() {
    on_each_runtime(|podman| {
        podman.start(&["--memory", "64m"]);
        let format = ["--no-stream", "--format", "{{.PIDs}} {{.MemLimit}}"];
        let stats = [&["stats"], &format[..], &["box"]].concat();
        assert_eq!(podman.ok(&stats), "1 67108864\n");
    });
}
