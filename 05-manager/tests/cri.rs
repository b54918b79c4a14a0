//! What CRI promises its callers, asked over the socket as a kubelet would.

#![allow(clippy::unwrap_used, reason = "to panic is to fail, in a test")]

mod daemon;

use std::fs;
use std::time::Duration;

use daemon::kubelet::*;
use daemon::{Conmand, PATIENCE, runc_that_hangs_in};
use manager::cri::*;
use testkit::{Scratch, eventually, requires};
use tokio::time::timeout;
use tonic::Code;

#[test]
fn stopping_and_removing_what_nobody_knows_succeeds() {
    on_each_runtime(async |_, mut cri| {
        let id = || "0123456789abcdef".to_owned();
        let stop = StopContainerRequest { container_id: id(), timeout: 0 };
        cri.stop_container(stop).await.unwrap();
        let remove = RemoveContainerRequest { container_id: id() };
        cri.remove_container(remove).await.unwrap();
        let stop = StopPodSandboxRequest { pod_sandbox_id: id() };
        cri.stop_pod_sandbox(stop).await.unwrap();
        remove_pod(&mut cri, &id()).await;
    });
}

#[test]
fn stopping_and_removing_twice_succeeds() {
    on_each_runtime(async |conmand, mut cri| {
        let pod = run_pod(&mut cri, pod("twice")).await;
        let config = container(conmand, "c", "sleep 1000");
        let id = create(&mut cri, &pod, config).await;
        start(&mut cri, &id).await;
        for _ in 0..2 {
            let container_id = id.clone();
            let stop = StopContainerRequest { container_id, timeout: 0 };
            cri.stop_container(stop).await.unwrap();
        }
        assert_eq!(states(&mut cri).await, [ContainerState::ContainerExited]);
        for _ in 0..2 {
            let remove = RemoveContainerRequest { container_id: id.clone() };
            cri.remove_container(remove).await.unwrap();
        }
        for _ in 0..2 {
            let stop = StopPodSandboxRequest { pod_sandbox_id: pod.clone() };
            cri.stop_pod_sandbox(stop).await.unwrap();
        }
        remove_pod(&mut cri, &pod).await;
        remove_pod(&mut cri, &pod).await;
    });
}

#[test]
fn events_come_in_order_even_if_the_program_ends_at_once() {
    on_each_runtime(async |conmand, mut cri| {
        let events = cri.get_container_events(GetEventsRequest {}).await;
        let mut events = events.unwrap().into_inner();
        let pod = run_pod(&mut cri, pod("events")).await;
        let config = container(conmand, "c", "exit 3");
        let id = create(&mut cri, &pod, config).await;
        start(&mut cri, &id).await;

        let mut kinds = Vec::new();
        for _ in 0..3 {
            let event = timeout(PATIENCE, events.message()).await;
            let event = event.expect("in time").unwrap().expect("a stream");
            assert_eq!(event.container_id, id);
            kinds.push(event.container_event_type());
            let stopped = ContainerEventType::ContainerStoppedEvent;
            if event.container_event_type() == stopped {
                assert_eq!(event.containers_statuses[0].exit_code, 3);
            }
        }
        remove_pod(&mut cri, &pod).await;
        let last = events.message().await.unwrap().expect("a stream");
        kinds.push(last.container_event_type());
        let names = kinds.iter().map(ContainerEventType::as_str_name);
        let names = names.map(|name| name.trim_start_matches("CONTAINER_"));
        let expected = ["CREATED", "STARTED", "STOPPED", "DELETED"];
        assert!(names.eq(expected.map(|name| format!("{name}_EVENT"))));
    });
}

#[test]
fn a_create_that_fails_leaves_nothing_and_frees_the_name() {
    on_each_runtime(async |conmand, mut cri| {
        let logs = conmand.scratch.path().join("logs");
        let config = PodSandboxConfig {
            log_directory: logs.display().to_string(),
            ..pod("fails")
        };
        let pod = run_pod(&mut cri, config).await;
        let bad = ContainerConfig {
            command: vec!["bahs".to_owned()],
            log_path: "c.log".to_owned(),
            ..container(conmand, "c", "")
        };
        let error =
            cri.create_container(creation(&pod, bad)).await.unwrap_err();
        assert!(error.message().contains("bahs"), "{error}");
        assert_eq!(error.message().lines().count(), 1, "{error}");
        assert_eq!(fs::read_dir(&logs).unwrap().count(), 0);
        assert_eq!(states(&mut cri).await, []);

        let config = container(conmand, "c", "true");
        create(&mut cri, &pod, config.clone()).await;
        let again = cri.create_container(creation(&pod, config)).await;
        assert_eq!(again.unwrap_err().code(), Code::AlreadyExists);
        remove_pod(&mut cri, &pod).await;
    });
}

#[test]
fn a_runtime_that_hangs_does_not_keep_others_from_being_listed() {
    if !requires(&NEEDS) {
        return;
    }
    let scratch = Scratch::new();
    let slow = runc_that_hangs_in(&scratch, "start");
    let conmand = Conmand::start(&scratch, &slow);
    block_on(async {
        let mut cri = conmand.cri().await;
        let pod = run_pod(&mut cri, pod("slow")).await;
        let config = container(&conmand, "c", "true");
        let id = create(&mut cri, &pod, config).await;
        let mut other = cri.clone();
        let hangs = StartContainerRequest { container_id: id.clone() };
        let hangs =
            tokio::spawn(async move { other.start_container(hangs).await });
        let hung = scratch.path().join("hung");
        eventually(PATIENCE, "start hangs", || hung.exists().then_some(()));

        let list = timeout(Duration::from_secs(2), states(&mut cri)).await;
        assert_eq!(list.unwrap(), [ContainerState::ContainerCreated]);
        assert!(!hangs.is_finished());
        fs::remove_file(hung).unwrap();
        hangs.await.unwrap().unwrap();
        remove_pod(&mut cri, &pod).await;
    });
    conmand.demand_nothing_left(&[]);
}

#[test]
fn what_is_not_there_yet_says_so_by_name() {
    on_each_runtime(async |_, mut cri| {
        let exec = cri.exec(ExecRequest::default()).await;
        let error = exec.map(drop).unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        assert_eq!(error.message(), "Exec: not supported by conmand yet");
        let stats = ListContainerStatsRequest::default();
        let error = cri.list_container_stats(stats).await.unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        assert!(error.message().starts_with("ListContainerStats: "));
    });
}
