//! The runner must fail on a page that lies, and on every way in which a command can go wrong.
//!
//! Each test is a small book and the real program. None needs root, but for the one that says so.

mod fixture;

use fixture::{Fixture, Said};

fn test(blocks: &str) -> Said {
    Fixture::new(blocks).run(&["test"])
}

fn passes(blocks: &str) {
    let said = test(blocks);
    assert!(said.ok, "{}", said.text);
}

fn fails_with(blocks: &str, words: &str) {
    let said = test(blocks);
    assert!(
        !said.ok && said.text.contains(words),
        "wanted {words:?}:\n{}",
        said.text
    );
}

#[test]
fn a_page_that_says_the_truth_passes_and_its_commands_are_counted() {
    let said = test("```console\n$ echo one\none\n$ printf two\ntwo\n```\n");
    assert!(said.ok && said.text.contains("one: 2 commands"), "{}", said.text);
}

#[test]
fn a_page_that_lies_fails_at_the_line_of_the_lie() {
    let page = "```console\n$ printf 'a\\nb\\n'\na\nc\n```\n";
    fails_with(page, "book/src/one.md:5: ");
    fails_with(page, "    a\n  - c\n  + b\n");
}

#[test]
fn a_page_that_shows_less_or_more_than_the_run_fails() {
    fails_with(
        "```console\n$ printf 'a\\nb\\n'\na\n```\n",
        "the run shows more",
    );
    fails_with("```console\n$ echo a\na\nb\n```\n", "the page shows more");
}

#[test]
fn a_dead_command_fails() {
    fails_with(
        "```console\n$ no-such-program\n```\n",
        "exit status 127, the page says 0",
    );
}

#[test]
fn a_status_must_be_declared_and_true() {
    passes("```console status=3\n$ (exit 3)\n```\n");
    passes("```console\n$ (exit 3)\n$ echo $?\n3\n```\n");
    fails_with(
        "```console status=4\n$ (exit 3)\n```\n",
        "exit status 3, the page says 4",
    );
    fails_with(
        "```console status=1\n$ true\n```\n",
        "exit status 0, the page says 1",
    );
    fails_with("```console\n$ (exit 3)\n$ echo $?\n4\n```\n", "  - 4\n  + 3\n");
}

#[test]
fn a_hang_is_reported_with_what_was_seen() {
    let page = "```console timeout=1\n$ echo before; sleep 1000\n```\n";
    fails_with(page, "no answer before the deadline");
    fails_with(page, "  + before\n");
}

#[test]
fn a_program_that_swallows_the_terminal_is_a_hang() {
    fails_with(
        "```console timeout=1\n$ cat\n```\n",
        "no answer before the deadline",
    );
}

#[test]
fn a_background_job_that_is_ended_is_no_leak_and_its_pid_is_renamed() {
    passes(
        "```console\n$ sleep 1000 &\n[1] 4242\n$ kill 4242; wait 4242; echo $?\n143\n```\n",
    );
}

#[test]
fn an_exit_code_is_not_taken_for_a_pid() {
    fails_with(
        "```console\n$ sh -c 'exit 137'; echo $?\n139\n```\n",
        "137 is not a pid",
    );
}

#[test]
fn a_nested_shell_takes_the_commands_that_follow() {
    passes(
        "```console\n$ x=out sh\n[in] $ echo $x\nout\n[in] $ exit 0\n$ echo \"<$x>\"\n<>\n```\n",
    );
}

#[test]
fn a_nested_shell_with_a_prompt_of_its_own_is_understood() {
    let enter = "$ env -i PS1='[box] # ' sh\n";
    passes(&format!(
        "```console\n{enter}[box] # echo in\nin\n[box] # exit\n$ echo out\nout\n```\n"
    ));
}

#[test]
fn a_nested_shell_that_fails_hands_its_status_on() {
    fails_with("```console\n$ sh\n[in] $ exit 5\n```\n", "exit status 5");
}

#[test]
fn a_chapter_that_ends_in_a_nested_shell_leaks_it() {
    fails_with(
        "```console\n$ sh\n[in] $ echo in\nin\n```\n",
        "leaves behind: process",
    );
}

#[test]
fn a_shell_that_exits_for_good_is_reported() {
    fails_with(
        "```console\n$ exec true\n$ echo lost\n```\n",
        "the terminal's shell has ended",
    );
}

#[test]
fn a_here_document_makes_a_file() {
    let cat = "$ cat > x <<'EOF'\n> one $HOME\n>   two\n> EOF\n";
    passes(&format!("```console\n{cat}$ cat x\none $HOME\n  two\n```\n"));
}

#[test]
fn two_terminals_talk_through_a_fifo() {
    let page = "```console\n$ mkfifo f\n```\n```console term=1 running\n$ cat f\n```\n\
        ```console term=2\n$ echo hello > f\n```\n```console term=1\nhello\n$ echo done\ndone\n```\n";
    passes(page);
    fails_with(
        &page.replace("hello\n$ echo done", "bye\n$ echo done"),
        "  - bye\n  + hello\n",
    );
}

#[test]
fn a_program_in_the_foreground_runs_until_control_c() {
    let start = "```console running\n$ sh -c 'echo ready; exec sleep 1000'\nready\n```\n";
    let stop = "```console\n^C\n$ echo $?\n130\n```\n";
    passes(&format!("{start}{stop}"));
    fails_with(start, "leaves behind: process");
}

#[test]
fn what_ends_a_program_in_the_foreground_may_be_shown_by_its_exit_status() {
    let page = "```console term=2 running\n$ sh -c 'echo $$; exec sleep 1000'\n4242\n```\n\
        ```console\n$ kill 4242\n```\n```console term=2\nTerminated\n";
    passes(&format!("{page}$ echo $?\n143\n```\n"));
    fails_with(&format!("{page}$ true\n```\n"), "exit status 143");
}

#[test]
fn a_name_means_the_same_on_every_terminal() {
    let show = "$ readlink /proc/self/ns/mnt\n";
    let page = |inode: u64| {
        format!(
            "```console\n{show}mnt:[4026540000]\n```\n```console term=2\n{show}mnt:[{inode}]\n```\n"
        )
    };
    passes(&page(4026540000));
    fails_with(&page(4026540001), "(line 4) and 4026540001 are both");
}

#[test]
fn the_same_namespace_on_the_page_must_be_the_same_in_the_run() {
    let own = "$ readlink /proc/self/ns/uts\nuts:[4026540000]\n";
    let new = "$ unshare --user --uts readlink /proc/self/ns/uts\n";
    passes(&format!("```console\n{own}{new}uts:[4026540001]\n```\n"));
    fails_with(
        &format!("```console\n{own}{new}uts:[4026540000]\n```\n"),
        "4026540000 was ",
    );
}

#[test]
fn each_terminal_remembers_its_own_directory_and_variables() {
    passes(
        "```console\n$ mkdir d; cd d; x=1\n```\n```console term=2\n$ pwd; echo \"<$x>\"\n\
        /tmp/book\n<>\n```\n```console\n$ pwd; echo $x\n/tmp/book/d\n1\n```\n",
    );
}

#[test]
fn what_is_not_run_needs_room_under_the_limit() {
    let page = "```console norun=\"reboots\"\n$ reboot\n```\n```console\n$ true\n```\n";
    fails_with(page, "1 console blocks are tagged norun, the limit is 0");
    let fixture = Fixture::new(page);
    let said = fixture.write("book/norun.limit", "1\n").run(&["test"]);
    assert!(said.ok && said.text.contains("1 blocks not run"), "{}", said.text);
    let said = fixture.write("book/norun.limit", "2\n").run(&["test"]);
    assert!(
        !said.ok && said.text.contains("write the lower number"),
        "{}",
        said.text
    );
}

#[test]
fn a_chapter_of_which_nothing_runs_fails() {
    let fixture = Fixture::new("```console norun=\"reboots\"\n$ reboot\n```\n");
    let said = fixture.write("book/norun.limit", "1\n").run(&["test"]);
    assert!(
        !said.ok && said.text.contains("no console block"),
        "{}",
        said.text
    );
}

#[test]
fn an_output_that_may_differ_is_not_compared_but_its_status_is() {
    passes(
        "```console may-differ=\"random\"\n$ echo $RANDOM\nnever this\n```\n",
    );
    fails_with(
        "```console may-differ=\"random\"\n$ false\n```\n",
        "exit status 1",
    );
}

#[test]
fn a_chapter_that_does_not_exist_is_an_error() {
    let said = Fixture::new("").run(&["test", "two"]);
    assert!(
        !said.ok && said.text.contains("no chapter \"two\""),
        "{}",
        said.text
    );
}

#[test]
fn the_environment_is_the_same_for_everybody() {
    let fixture = Fixture::new(
        "```console\n$ echo $LC_ALL $TZ $SECRET; umask\nC UTC\n0022\n```\n",
    );
    let output =
        fixture.command(&["test"]).env("SECRET", "x").output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
