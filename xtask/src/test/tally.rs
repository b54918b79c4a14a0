//! Adds up what cargo's test programs say of themselves, one total over all.
//!
//! libtest knows no skipped tests: one that returns early is "ok" to it. Those
//! noted by testkit are therefore taken from the passed ones.

use anyhow::{Result, bail};

/// The outcome of all test programs of one `cargo test`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// cargo test's own exit status was 0.
    pub(crate) ended_well: bool,
    /// The `test result:` line of every program that ran a test, as printed.
    pub(crate) results: Vec<String>,
    /// The tests that lacked something, as testkit noted them.
    pub(crate) skips: Vec<String>,
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Tally {
    /// Takes one line of what `cargo test` prints.
    pub(crate) fn read(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let (passed, failed) =
            (count(counts, "passed"), count(counts, "failed"));
        let ignored = count(counts, "ignored");
        if passed + failed + ignored > 0 {
            self.results.push(line.to_owned());
        }
        self.passed += passed;
        self.failed += failed;
        self.ignored += ignored;
    }

    /// Prints the programs' results, the skipped tests, and the total as the
    /// last line.
    pub(crate) fn print(&self) {
        println!();
        self.skips.iter().for_each(|skip| println!("{skip}"));
        self.results.iter().for_each(|result| println!("{result}"));
        println!("{}", self.total());
    }

    /// Judges.
    ///
    /// # Errors
    /// A test failed, or a test program ended otherwise than by its tests.
    pub(crate) fn verdict(&self) -> Result<()> {
        if self.failed > 0 || !self.ended_well {
            bail!("cargo test failed: its output above names the tests");
        }
        Ok(())
    }

    fn total(&self) -> String {
        let passed = self.passed.saturating_sub(self.skips.len());
        let skipped = self.ignored + self.skips.len();
        format!("{passed} passed, {} failed, {skipped} skipped", self.failed)
    }
}

/// The number before `word` in `ok. 3 passed; 0 failed; ..`.
fn count(counts: &str, word: &str) -> usize {
    let part = counts.split("; ").find_map(|part| part.strip_suffix(word));
    let number = part.and_then(|part| part.split_whitespace().last());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    const OK: &str = "test result: ok. 12 passed; 0 failed; 1 ignored; \
                      0 measured; 3 filtered out; finished in 0.10s";
    const BAD: &str = "test result: FAILED. 2 passed; 1 failed; 0 ignored; \
                       0 measured; 0 filtered out; finished in 0.10s";
    const NONE: &str = "test result: ok. 0 passed; 0 failed; 0 ignored; \
                        0 measured; 0 filtered out; finished in 0.00s";

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally { ended_well: true, ..Tally::default() };
        lines.iter().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn the_total_adds_up_all_test_programs() {
        let tally = tally(&["running 13 tests", OK, "noise", BAD]);
        assert_eq!(tally.total(), "14 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn a_skipped_test_is_not_a_passed_one() {
        let mut tally = tally(&[OK]);
        tally.skips = vec!["SKIP a: needs root".into()];
        assert_eq!(tally.total(), "11 passed, 0 failed, 2 skipped");
    }

    #[test]
    fn a_program_without_tests_is_not_listed() {
        assert_eq!(tally(&[NONE, OK]).results, [OK]);
    }

    #[test]
    fn a_failed_test_or_a_crashed_program_fails_the_run() {
        assert!(tally(&[OK]).verdict().is_ok());
        assert!(tally(&[OK, BAD]).verdict().is_err());
        let crashed = Tally { ended_well: false, ..tally(&[OK]) };
        assert!(crashed.verdict().is_err());
    }
}
