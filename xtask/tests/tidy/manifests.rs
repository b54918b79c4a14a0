//! Invariant 3, the edges between the stages, and what else Cargo.toml files
//! must say. Cargo itself reads them: `cargo metadata`.

use crate::{check, repository};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// Which package may be linked into which: every edge that there is.
const EDGES: &[(&str, &[&str])] = &[
    ("namespaces", &[]),
    ("imageless", &["namespaces"]),
    ("runc-naive", &[]),
    ("shim", &["namespaces", "runc-naive"]),
    ("manager", &["runc-naive"]),
    ("testkit", &[]),
    ("xtask", &[]),
    ("xtask-book", &[]),
];

/// Libraries that bring an executor or need one: for the manager only.
const ASYNCHRONOUS: &[&str] =
    &["tokio", "tokio-stream", "tonic", "hyper-util", "tower", "rtnetlink"];

fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--format-version=1", "--offline"]);
    let output = cargo.current_dir(repository()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", output.status);
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

/// Every dependency: of whom, on whom, and for what (`null` means the program).
fn dependencies(metadata: &Value) -> Vec<(&str, &str, Option<&str>)> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .flat_map(|package| {
            let of = package["name"].as_str().unwrap_or_default();
            let all = package["dependencies"].as_array().into_iter().flatten();
            all.map(move |dependency| {
                let on = dependency["name"].as_str().unwrap_or_default();
                (of, on, dependency["kind"].as_str())
            })
        })
        .collect()
}

fn edges(metadata: &Value) -> Vec<String> {
    let ours = |name: &str| EDGES.iter().find(|(package, _)| *package == name);
    let mut complaints = vec![];
    for (of, on, kind) in dependencies(metadata) {
        if ours(on).is_none() {
            continue;
        }
        let allowed = ours(of).is_some_and(|(_, below)| below.contains(&on));
        let for_tests = on == "testkit" && kind == Some("dev");
        if !allowed && !for_tests {
            complaints.push(format!("{of} -> {on} is no edge"));
        }
    }
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let names = packages.filter_map(|package| package["name"].as_str());
    complaints.extend(names.filter(|name| ours(name).is_none()).map(|name| {
        format!("package {name}: ARCHITECTURE.md does not name its edges")
    }));
    complaints
}

fn runtimes(metadata: &Value) -> Vec<String> {
    let all = dependencies(metadata).into_iter();
    let foreign =
        all.filter(|(of, on, _)| *of != "manager" && ASYNCHRONOUS.contains(on));
    foreign
        .map(|(of, on, _)| format!("{of} -> {on}: for stage 5 only"))
        .collect()
}

/// Each dependency stands under a comment that argues for it, alone or in a
/// block without empty lines.
fn arguments(manifest: &str) -> Vec<String> {
    let begin = "[workspace.dependencies]\n";
    let (_, section) = manifest.split_once(begin).expect("there is one");
    let section = section.split("\n[").next().unwrap_or_default();
    let mut argued = false;
    let mut complaints = vec![];
    for line in section.lines() {
        let name = line.split_once(" = ").map_or("", |(name, _)| name);
        if line.is_empty() {
            argued = false;
        } else if line.starts_with('#') {
            argued = true;
        } else if !argued && !name.is_empty() && !line.contains(" # ") {
            complaints.push(format!("Cargo.toml: {name}: for what?"));
        }
    }
    complaints
}

fn panics(manifest: &str) -> Vec<String> {
    let profiles = ["dev", "release"].into_iter().filter(|profile| {
        let (_, text) = manifest
            .split_once(&format!("[profile.{profile}]\n"))
            .unwrap_or_default();
        let text = text.split("\n[").next().unwrap_or_default();
        !text.lines().any(|line| line == "panic = \"abort\"")
    });
    profiles.map(|name| format!("profile.{name}: panic = \"abort\"?")).collect()
}

fn workspace_manifest() -> String {
    let path = repository().join("Cargo.toml");
    fs::read_to_string(path).expect("a workspace has a Cargo.toml")
}

/// What `cargo metadata` would say of one dependency.
fn one(of: &str, on: &str, kind: Option<&str>) -> Value {
    let dependency = json!({ "name": on, "kind": kind });
    json!({ "packages": [{ "name": of, "dependencies": [dependency] }] })
}

#[test]
fn every_edge_goes_to_a_lower_stage_that_the_architecture_names() {
    check(&edges(&metadata()));
}

#[test]
fn an_edge_that_the_architecture_does_not_name_is_found() {
    for (of, on, kind) in [
        ("manager", "shim", None),
        ("namespaces", "imageless", None),
        ("runc-naive", "namespaces", Some("dev")),
        ("imageless", "testkit", None),
        ("testkit", "namespaces", Some("build")),
        ("extra", "serde", None),
    ] {
        assert_eq!(edges(&one(of, on, kind)).len(), 1, "{of} -> {on}");
    }
    assert!(edges(&one("shim", "runc-naive", None)).is_empty());
    assert!(edges(&one("shim", "testkit", Some("dev"))).is_empty());
}

#[test]
fn only_the_manager_has_an_async_runtime() {
    check(&runtimes(&metadata()));
    assert_eq!(runtimes(&one("shim", "tokio", Some("dev"))).len(), 1);
    assert!(runtimes(&one("manager", "tokio", None)).is_empty());
}

#[test]
fn every_dependency_argues_for_its_place() {
    check(&arguments(&workspace_manifest()));
}

#[test]
fn a_dependency_without_an_argument_is_found() {
    let manifest = "[workspace.dependencies]\n# Why.\na = \"1\"\nb = \"1\"\n\n\
                    c = \"1\"\nd = \"1\" # because\n[workspace.lints]\ne = 1\n";
    assert_eq!(arguments(manifest), ["Cargo.toml: c: for what?"]);
}

#[test]
fn a_panic_aborts_in_every_profile() {
    check(&panics(&workspace_manifest()));
    let only_release =
        "[profile.dev]\n\n[profile.release]\npanic = \"abort\"\n";
    assert_eq!(panics(only_release).len(), 1);
}
