//! Prints what the programs said, and judges it by the table.

use super::table::Row;
use super::tap::{Said, Verdict};
use crate::progress::wrapped;
use anyhow::{Result, bail};

/// One program: what was expected, and what it said.
pub(super) struct Line<'a> {
    pub(super) expected: &'a Row,
    pub(super) runc: Said,
    pub(super) ours: Said,
}

impl Line<'_> {
    /// Tells whether ours does worse than it has to. Where runc, too, does worse
    /// than the table has it, the machine is another one: as runc is enough.
    pub(super) fn is_worse(&self) -> bool {
        let Line { expected, runc, ours } = self;
        let is_as_runc =
            runc.verdict > expected.runc && ours.verdict <= runc.verdict;
        ours.verdict > expected.ours && !is_as_runc
    }
}

/// Prints all of it, and the programs' own words if they are few.
pub(super) fn print(lines: &[Line<'_>], with_words: bool) {
    println!("\n{:<32}{:<6}{:<11}why", "program", "runc", "imageless");
    for Line { expected, runc, ours } in lines {
        println!(
            "{:<32}{:<6}{:<11}{}",
            expected.program,
            runc.verdict,
            ours.verdict,
            wrapped(&expected.why, 49)
        );
        if with_words {
            println!("\nrunc:\n{}\nimageless:\n{}", runc.text, ours.text);
        }
    }
    println!(
        "\nok: passes  -: asserts nothing  N: lines that fail  exit: gave up"
    );
    print_sum("runc", lines.iter().map(|line| &line.runc));
    print_sum("imageless", lines.iter().map(|line| &line.ours));
    for Line { expected, runc, .. } in lines {
        if runc.verdict != expected.runc {
            println!(
                "this runc: {}: {}, in the table {}",
                expected.program, runc.verdict, expected.runc
            );
        }
    }
}

fn print_sum<'a>(name: &str, said: impl Iterator<Item = &'a Said> + Clone) {
    let passes = |said: &&Said| said.verdict == Verdict::Passes;
    let silent = |said: &&Said| said.verdict == Verdict::Silent;
    let all = said.clone().count();
    let (ok, none) = (
        said.clone().filter(passes).count(),
        said.clone().filter(silent).count(),
    );
    println!(
        "{name:<10} {ok} of {all} programs pass, {} fail, {none} assert \
         nothing; {} lines ok, {} not ok",
        all - ok - none,
        said.clone().map(|said| said.passed).sum::<usize>(),
        said.map(|said| said.failed).sum::<usize>(),
    );
}

/// Compares ours with the table. Better is no failure, but told: the table is
/// then to be mended.
///
/// # Errors
/// The programs that have become worse.
pub(super) fn verdict(lines: &[Line<'_>]) -> Result<()> {
    let told = |line: &Line<'_>| {
        let Line { expected, ours, .. } = line;
        format!(
            "{}: {}, in the table {}",
            expected.program, ours.verdict, expected.ours
        )
    };
    for line in lines.iter().filter(|l| l.ours.verdict < l.expected.ours) {
        println!("better: {}", told(line));
    }
    let worse: Vec<_> =
        lines.iter().filter(|line| line.is_worse()).map(told).collect();
    if worse.is_empty() {
        return Ok(());
    }
    bail!(
        "worse than xtask/conformance/runtime.txt:\n  {}\nhint: cargo xtask \
         conformance runtime PROGRAM shows what it says",
        worse.join("\n  ")
    );
}

#[cfg(test)]
mod tests {
    use super::{Line, Row, Said, Verdict, verdict};
    use Verdict::{Fails, GivesUp, Passes};

    /// Judges one program, of which runc and ours were expected to pass.
    fn judged(runc: Verdict, ours: Verdict) -> Result<(), String> {
        let expected = &Row {
            program: "hostname".into(),
            runc: Passes,
            ours: Passes,
            why: String::new(),
        };
        let said = |verdict| Said { verdict, ..Said::new(String::new(), true) };
        let line = Line { expected, runc: said(runc), ours: said(ours) };
        verdict(&[line]).map_err(|error| error.to_string())
    }

    #[test]
    fn what_has_become_worse_is_named() {
        let error = judged(Passes, Fails(2)).unwrap_err();
        assert!(error.contains("hostname: 2, in the table ok"), "{error}");
    }

    #[test]
    fn a_machine_on_which_runc_does_as_badly_is_not_our_fault() {
        assert_eq!(judged(Fails(2), Fails(2)), Ok(()));
        assert!(judged(Fails(2), GivesUp).is_err());
    }
}
