//! What only a runner with root can show: two users on one terminal, containers, orphans.

mod fixture;

use fixture::Fixture;
use std::os::unix::process::CommandExt;
use testkit::{Need, requires};

fn passes_as_root(blocks: &str) {
    if !requires(&[Need::Root]) {
        return;
    }
    let said = Fixture::new(blocks).run(&["test"]);
    assert!(said.ok, "{}", said.text);
}

#[test]
fn the_prompt_says_who_types() {
    passes_as_root(
        "```console\n$ [ $(id -u) -ne 0 ]; echo $?\n0\n# id -u\n0\n$ echo x > file\n```\n",
    );
}

#[test]
fn both_users_of_a_terminal_are_in_one_directory() {
    passes_as_root(
        "```console\n$ echo mine > file\n# cat file\nmine\n# pwd\n/tmp/book\n```\n",
    );
}

#[test]
fn a_shell_in_a_pid_namespace_has_small_pids_and_they_are_literal() {
    let page = "```console\n# unshare --mount --pid --fork --mount-proc bash --norc\n\
        [box] # echo $$\n1\n[box] # exit\nexit\n```\n";
    passes_as_root(page);
    if requires(&[Need::Root]) {
        let said = Fixture::new(&page.replace("\n1\n", "\n2\n")).run(&["test"]);
        assert!(
            !said.ok && said.text.contains("  - 2\n  + 1\n"),
            "{}",
            said.text
        );
    }
}

#[test]
fn a_busybox_shell_without_our_environment_is_understood() {
    if !requires(&[Need::Root, Need::Program("busybox")]) {
        return;
    }
    passes_as_root(
        "```console\n# mkdir -p r/bin; cp $(command -v busybox) r/bin/sh\n\
        # env -i PATH=$PATH chroot r /bin/sh 2>/dev/null\n/ # echo in $PWD\nin /\n/ # exit\n```\n",
    );
}

#[test]
fn an_orphan_is_shown_as_a_child_of_pid_1() {
    passes_as_root(
        "```console\n# sh -c 'sleep 1000 & echo $! > pid'\n# ps -o ppid,comm -p $(cat pid)\n\
        \x20  PPID COMMAND\n      1 sleep\n# kill $(cat pid)\n```\n",
    );
}

#[test]
fn without_root_a_chapter_for_root_is_skipped_aloud_and_ci_does_not_accept_that()
 {
    let fixture = Fixture::new("```console\n# id -u\n0\n```\n");
    let run = |require_all: &str| {
        let mut command = fixture.command(&["test"]);
        if requires(&[Need::Root]) {
            command.uid(65534).gid(65534);
        }
        command
            .env("CONMAN_REQUIRE_ALL", require_all)
            .output()
            .expect("cargo built it")
    };
    let skipped = run("0");
    let text = String::from_utf8_lossy(&skipped.stderr);
    assert!(
        skipped.status.success() && text.contains("SKIPPED one: "),
        "{text}"
    );
    let refused = run("1");
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && text.contains("needs root"), "{text}");
}
