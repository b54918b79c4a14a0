//! What CRI promises its callers, asked over the socket as a kubelet would.

mod daemon;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use daemon::Conmand;
use manager::cri::runtime_service_client::RuntimeServiceClient;
use manager::cri::*;
use testkit::{Need, RuntimeUnderTest, Scratch, requires, runtimes};
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Request};

const NEEDS: [Need; 2] = [Need::Root, Need::Program("runc")];

type Cri = RuntimeServiceClient<Channel>;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// Runs a test on each runtime, on a conmand that has to be empty afterwards.
fn on_each_runtime(test: impl AsyncFn(&Conmand<'_>, Cri)) {
    if !requires(&NEEDS) {
        return;
    }
    for runtime in runtimes() {
        eprintln!("on {}", runtime.name);
        let scratch = Scratch::new();
        let conmand = Conmand::start(&scratch, &runtime);
        block_on(async { test(&conmand, conmand.cri().await).await });
        conmand.demand_nothing_left(&[]);
    }
}

fn pod(name: &str) -> PodSandboxConfig {
    let metadata = PodSandboxMetadata {
        name: name.to_owned(),
        uid: "1".to_owned(),
        namespace: "default".to_owned(),
        attempt: 0,
    };
    PodSandboxConfig { metadata: Some(metadata), ..Default::default() }
}

fn container(
    conmand: &Conmand<'_>,
    name: &str,
    script: &str,
) -> ContainerConfig {
    let metadata = ContainerMetadata { name: name.to_owned(), attempt: 0 };
    let image = ImageSpec { image: conmand.image(), ..Default::default() };
    ContainerConfig {
        metadata: Some(metadata),
        image: Some(image),
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        ..Default::default()
    }
}

async fn run_pod(cri: &mut Cri, config: PodSandboxConfig) -> String {
    let request =
        RunPodSandboxRequest { config: Some(config), ..Default::default() };
    cri.run_pod_sandbox(request).await.unwrap().into_inner().pod_sandbox_id
}

fn creation(pod: &str, config: ContainerConfig) -> CreateContainerRequest {
    CreateContainerRequest {
        pod_sandbox_id: pod.to_owned(),
        config: Some(config),
        sandbox_config: None,
    }
}

async fn create(cri: &mut Cri, pod: &str, config: ContainerConfig) -> String {
    let created = cri.create_container(creation(pod, config)).await;
    created.unwrap().into_inner().container_id
}

async fn start(cri: &mut Cri, id: &str) {
    let request = StartContainerRequest { container_id: id.to_owned() };
    cri.start_container(request).await.unwrap();
}

async fn remove_pod(cri: &mut Cri, pod: &str) {
    let request = RemovePodSandboxRequest { pod_sandbox_id: pod.to_owned() };
    cri.remove_pod_sandbox(request).await.unwrap();
}

async fn states(cri: &mut Cri) -> Vec<ContainerState> {
    let list = cri.list_containers(ListContainersRequest::default()).await;
    let list = list.unwrap().into_inner().containers;
    list.iter().map(Container::state).collect()
}

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
        let script = "cd /proc/self/ns; for ns in net ipc uts; do readlink $ns; \
                      done; hostname; \
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
            let event = timeout(daemon::PATIENCE, events.message()).await;
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

#[test]
fn a_runtime_that_hangs_does_not_keep_others_from_being_listed() {
    if !requires(&NEEDS) {
        return;
    }
    let scratch = Scratch::new();
    let slow = slow_runtime(&scratch);
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
        testkit::eventually(daemon::PATIENCE, "start hangs", || {
            hung.exists().then_some(())
        });

        let list = timeout(Duration::from_secs(2), states(&mut cri)).await;
        assert_eq!(list.unwrap(), [ContainerState::ContainerCreated]);
        assert!(!hangs.is_finished());
        fs::remove_file(hung).unwrap();
        hangs.await.unwrap().unwrap();
        remove_pod(&mut cri, &pod).await;
    });
    conmand.demand_nothing_left(&[]);
}

/// runc, but `start` hangs for as long as the file `hung` is there.
fn slow_runtime(scratch: &Scratch) -> RuntimeUnderTest {
    let hung = scratch.path().join("hung");
    let (hung, program) = (hung.display(), scratch.path().join("slow"));
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *\" start \"*) : > {hung}; \
         while [ -e {hung} ]; do sleep 0.05; done;; esac\nexec runc \"$@\"\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    RuntimeUnderTest { name: "slow".to_owned(), program }
}

#[test]
fn what_is_not_there_yet_says_so_by_name() {
    on_each_runtime(async |_, mut cri| {
        let exec = cri.exec(Request::new(ExecRequest::default())).await;
        let error = exec.map(drop).unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        assert_eq!(error.message(), "Exec: not supported by conmand yet");
        let stats = ListContainerStatsRequest::default();
        let error = cri.list_container_stats(stats).await.unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        assert!(error.message().starts_with("ListContainerStats: "));
    });
}
