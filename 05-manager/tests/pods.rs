//! Pods over CRI: what their containers share, what limits them, and how they
//! end together.

#![allow(clippy::unwrap_used, reason = "to panic is to fail, in a test")]

mod daemon;

use std::fs;
use std::path::Path;

use daemon::kubelet::*;
use manager::cri::*;
use testkit::{Need, requires};
use tonic::Code;

#[test]
fn a_pod_is_removed_with_all_its_containers_whatever_their_state() {
    on_each_runtime(async |conmand, mut cri| {
        let pod = run_pod(&mut cri, pod("full")).await;
        let config = |name| container(conmand, name, "sleep 1000");
        create(&mut cri, &pod, config("created")).await;
        let id = create(&mut cri, &pod, config("running")).await;
        start(&mut cri, &id).await;
        assert_eq!(states(&mut cri).await.len(), 2);
        remove_pod(&mut cri, &pod).await;
        assert_eq!(states(&mut cri).await, []);
    });
}

#[test]
fn containers_of_a_pod_share_network_ipc_name_and_shm_but_not_pids() {
    on_each_runtime(async |conmand, mut cri| {
        let config = PodSandboxConfig {
            hostname: "shared".to_owned(),
            log_directory: conmand.scratch.path().display().to_string(),
            ..pod("share")
        };
        let pod = run_pod(&mut cri, config).await;
        let script = "cd /proc/self/ns; \
                      for ns in net ipc uts; do readlink $ns; done; hostname; \
                      touch /dev/shm/$NAME; ls /dev/shm; readlink pid; sleep 9";
        for name in ["a", "b"] {
            let config = ContainerConfig {
                log_path: format!("{name}.log"),
                envs: vec![KeyValue {
                    key: "NAME".to_owned(),
                    value: name.as_bytes().to_vec(),
                }],
                ..container(conmand, name, script)
            };
            let id = create(&mut cri, &pod, config).await;
            start(&mut cri, &id).await;
            conmand.wait_for_log(&id, "pid:[");
        }
        let said = |name| text(&conmand.scratch.path().join(name));
        let (a, b) = (said("a.log"), said("b.log"));
        assert_eq!(a[..4], b[..4], "net, ipc, uts, host name");
        assert_eq!((&a[3][..], &a[4][..]), ("shared", "a"));
        assert_eq!(b[4..6], ["a", "b"], "files in /dev/shm");
        assert_ne!(a.last(), b.last(), "pid namespaces");
        let host = fs::read_link("/proc/self/ns/net").unwrap();
        assert_ne!(a[0], host.to_string_lossy());
        remove_pod(&mut cri, &pod).await;
    });
}

/// The text of each line of a log.
fn text(log: &Path) -> Vec<String> {
    let log = fs::read_to_string(log).unwrap();
    let text = |line: &str| line.splitn(4, ' ').last().unwrap().to_owned();
    log.lines().map(text).collect()
}

#[test]
fn a_container_is_started_once_and_not_in_a_stopped_pod() {
    on_each_runtime(async |conmand, mut cri| {
        let pod = run_pod(&mut cri, pod("once")).await;
        let config = container(conmand, "c", "sleep 1000");
        let id = create(&mut cri, &pod, config).await;
        start(&mut cri, &id).await;
        let again = StartContainerRequest { container_id: id.clone() };
        let again = cri.start_container(again).await.unwrap_err();
        assert_eq!(again.code(), Code::FailedPrecondition);

        let stop = StopPodSandboxRequest { pod_sandbox_id: pod.clone() };
        cri.stop_pod_sandbox(stop).await.unwrap();
        assert_eq!(states(&mut cri).await, [ContainerState::ContainerExited]);
        let config = container(conmand, "late", "true");
        let late = cri.create_container(creation(&pod, config)).await;
        assert_eq!(late.unwrap_err().code(), Code::FailedPrecondition);
        remove_pod(&mut cri, &pod).await;
    });
}

#[test]
fn memory_and_pids_limits_reach_the_cgroup() {
    if !requires(&[Need::CgroupV1]) {
        return;
    }
    on_each_runtime(async |conmand, mut cri| {
        let pod = run_pod(&mut cri, pod("limits")).await;
        let resources = LinuxContainerResources {
            memory_limit_in_bytes: 64 << 20,
            unified: [("pids.max".to_owned(), "17".to_owned())].into(),
            ..Default::default()
        };
        let linux = LinuxContainerConfig {
            resources: Some(resources),
            ..Default::default()
        };
        let config = ContainerConfig {
            linux: Some(linux),
            ..container(conmand, "c", "sleep 1000")
        };
        let id = create(&mut cri, &pod, config).await;
        let read = |file: &str| {
            let cgroups = daemon::cgroups(&id);
            let values = cgroups.iter().map(|cgroup| cgroup.join(file));
            values.filter_map(|file| fs::read_to_string(file).ok()).next()
        };
        let expected = Some(format!("{}\n", 64 << 20));
        assert_eq!(read("memory.limit_in_bytes"), expected);
        assert_eq!(read("pids.max"), Some("17\n".to_owned()));
        remove_pod(&mut cri, &pod).await;
        assert!(daemon::cgroups(&id).is_empty());
    });
}
