//! Pods: containers that share namespaces, and what Kubernetes calls one.

use crate::podman::{Podman, on_each_runtime};

fn create_pod(podman: &Podman, share: &str) {
    let named = ["--name", "pod", "--hostname", "together", "--network=none"];
    podman.ok(&[&["pod", "create", "--share", share], &named[..]].concat());
}

#[test]
fn containers_of_a_pod_share_its_namespaces() {
    on_each_runtime(|podman| {
        podman.import_images();
        create_pod(podman, "net,ipc,uts,pid");
        let run = ["run", "--rm", "--pod", "pod", "box:1", "sh", "-c"];
        let script = "for n in net ipc uts pid; do readlink /proc/self/ns/$n; \
                      done; hostname";
        let both = [&run[..], &[script]].concat();
        let (first, second) = (podman.ok(&both), podman.ok(&both));
        assert_eq!(first, second);
        assert!(first.ends_with("\ntogether\n"), "{first}");
        let net = std::fs::read_link("/proc/self/ns/net").expect("procfs");
        assert!(!first.contains(&*net.to_string_lossy()), "{first}");
    });
}

#[test]
fn a_pod_is_paused_killed_and_removed_as_one() {
    on_each_runtime(|podman| {
        podman.import_images();
        create_pod(podman, "net");
        let run = ["run", "--detach", "--pod", "pod", "box:1", "sleep", "60"];
        podman.ok(&run);
        let status = || {
            let format = ["--format", "{{.Status}} {{.NumberOfContainers}}"];
            podman.ok(&[&["pod", "ps"], &format[..]].concat())
        };
        assert_eq!(status(), "Running 2\n");
        podman.ok(&["pod", "pause", "pod"]);
        assert_eq!(status(), "Paused 2\n");
        podman.ok(&["pod", "unpause", "pod"]);
        podman.ok(&["pod", "kill", "pod"]);
        podman.ok(&["pod", "rm", "--force", "--time", "0", "pod"]);
        assert_eq!(status(), "");
    });
}

#[test]
fn what_kubernetes_would_run_is_played() {
    const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: played}
spec:
  restartPolicy: Never
  containers:
  - name: box
    image: localhost/box:1
    command: [/bin/sh, -c, 'exec /bin/sleep 60']
    env: [{name: A, value: b}]
    securityContext:
      runAsUser: 1000
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
";
    on_each_runtime(|podman| {
        podman.import_images();
        let file = podman.scratch.path().join("pod.yaml");
        std::fs::write(&file, POD).expect("the directory is ours");
        let file = file.to_str().expect("our paths are text");
        podman.ok(&["play", "kube", "--network", "none", file]);
        let script = "echo $A; id -u; touch /x 2>/dev/null || echo no";
        let exec = ["exec", "played-box", "/bin/sh", "-c", script];
        assert_eq!(podman.ok(&exec), "b\n1000\nno\n");
        podman.ok(&["play", "kube", "--down", file]);
    });
}
