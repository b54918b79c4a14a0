//! `conman run --runtime`: one daemon, and a runtime for each container.

mod daemon;

use daemon::Conmand;
use testkit::{Need, RuntimeUnderTest, Scratch, crun, requires, runtimes};

/// Runs a test on one conmand that has runc, ours and crun, and demands that
/// nothing stays.
fn on_all_at_once(
    test: impl Fn(&Conmand<'_>, &[RuntimeUnderTest]) -> Vec<String>,
) {
    let programs = ["runc", "crun"].map(Need::Program);
    if !requires(&[&[Need::Root], &programs[..]].concat()) {
        return;
    }
    let scratch = Scratch::new();
    let runtimes = [runtimes(), vec![crun(&scratch)]].concat();
    let conmand = Conmand::start_with(&scratch, &runtimes);
    let ids = test(&conmand, &runtimes);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    conmand.demand_nothing_left(&ids);
}

#[test]
fn a_foreground_run_is_the_same_on_each_runtime() {
    on_all_at_once(|conmand, runtimes| {
        let image = conmand.image();
        for RuntimeUnderTest { name, .. } in runtimes {
            let run = ["run", "--rm", "--runtime", name, &image];
            let script = ["--", "sh", "-c", "echo out; echo oops >&2; exit 7"];
            let output = conmand.conman(&[&run[..], &script].concat());
            assert_eq!(output.status.code(), Some(7), "{name}: {output:?}");
            assert_eq!(output.stdout, b"out\n", "{name}");
            assert_eq!(output.stderr, b"oops\n", "{name}");
        }
        vec![]
    });
}

#[test]
fn containers_of_all_runtimes_live_side_by_side_and_stop_when_asked() {
    on_all_at_once(|conmand, runtimes| {
        let script = "trap 'exit 4' TERM; echo up; while :; do sleep 0.1; done";
        let run = |runtime: &RuntimeUnderTest| {
            conmand.run_detached(&["--runtime", &runtime.name], script)
        };
        let ids: Vec<_> = runtimes.iter().map(run).collect();
        for (runtime, id) in runtimes.iter().zip(&ids) {
            conmand.wait_for_log(id, "up\n");
            // That this runtime has made it, its own directory shows.
            let made = conmand.state_dir().join("runtimes").join(&runtime.name);
            assert!(made.join(id).is_dir(), "{}", runtime.name);
        }
        for id in &ids {
            conmand.ok(&["stop", id]);
            assert_eq!(conmand.state(id), ("EXITED".to_owned(), 4));
            conmand.ok(&["rm", id]);
        }
        ids
    });
}

#[test]
fn a_program_that_is_not_there_is_told_and_leaves_nothing() {
    on_all_at_once(|conmand, runtimes| {
        let image = conmand.image();
        for RuntimeUnderTest { name, .. } in runtimes {
            let run = ["run", "--rm", "--runtime", name, &image, "--", "bahs"];
            let words = conmand.refused(&run);
            assert!(words.contains("bahs"), "{name}: {words}");
        }
        vec![]
    });
}

#[test]
fn a_runtime_that_conmand_does_not_know_is_answered_with_those_it_knows() {
    on_all_at_once(|conmand, _| {
        let image = conmand.image();
        let words = conmand.refused(&[
            "run",
            "--runtime",
            "rune",
            &image,
            "--",
            "true",
        ]);
        assert!(words.contains("crun, imageless, runc"), "{words}");
        vec![]
    });
}
