//! Compares a page with a run by renaming, not by wildcards.
//!
//! Where page and run show different names of one kind (4242 here, 31337 there), the pair is
//! remembered for the rest of the chapter, in both directions: so "these two are the same
//! namespace" stays checked, although no page can know the number.

use crate::shapes::{Kind, Machine, split};
use std::collections::HashMap;

/// The pairs found so far in a chapter, across its terminals.
#[derive(Clone, Default)]
pub(crate) struct Renaming {
    /// From the page's name to the run's, with the page's line where they met.
    to_run: HashMap<(Kind, String), (String, usize)>,
    to_page: HashMap<(Kind, String), (String, usize)>,
}

/// What was shown, and what the page says: the first line where they part, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Index of the first line that differs.
    pub(crate) index: usize,
    /// Why, if it is not plain to see.
    pub(crate) why: String,
}

impl Renaming {
    /// Compares the lines of a page from line number `first` with those of a run.
    ///
    /// # Errors
    /// The first difference; then no pair of this output is remembered.
    pub(crate) fn compare(
        &mut self,
        machine: &Machine,
        page: (&[String], usize),
        run: &[String],
    ) -> Result<(), Difference> {
        let (page, first) = page;
        let before = self.clone();
        for index in 0..page.len().max(run.len()) {
            let met = match (page.get(index), run.get(index)) {
                (Some(page), Some(run)) => {
                    self.meet(machine, (page, first + index), run)
                }
                (Some(_), None) => {
                    Err("the page shows more than the run".into())
                }
                (None, _) => Err("the run shows more than the page".into()),
            };
            if let Err(why) = met {
                *self = before;
                return Err(Difference { index, why });
            }
        }
        Ok(())
    }

    /// Puts the run's names into a command that was typed with the page's.
    pub(crate) fn as_run(&self, command: &str) -> String {
        translate(&self.to_run, command)
    }

    /// Puts the page's names into what the run printed, where the page has one.
    pub(crate) fn as_page(&self, machine: &Machine, line: &str) -> String {
        let parts = split(line);
        let reaper =
            parts.tokens.iter().any(|(_, token)| machine.is_reaper(token));
        let line = translate(&self.to_page, line);
        if reaper {
            line.replace(&std::process::id().to_string(), "1")
        } else {
            line
        }
    }

    /// Compares one line, token by token; blanks are as wide as they like.
    fn meet(
        &mut self,
        machine: &Machine,
        page: (&str, usize),
        run: &str,
    ) -> Result<(), String> {
        let (page, number) = page;
        let (page, run) = (squeezed(page), squeezed(run));
        let (page, run) = (split(&page), split(&run));
        let kinds = |tokens: &[(Kind, &str)]| {
            tokens.iter().map(|t| t.0).collect::<Vec<_>>()
        };
        if page.texts != run.texts || kinds(&page.tokens) != kinds(&run.tokens)
        {
            return Err(String::new());
        }
        for (&(kind, page), &(_, run)) in page.tokens.iter().zip(&run.tokens) {
            self.pair(machine, (kind, page, number), run)?;
        }
        Ok(())
    }

    /// Decides about two tokens of one kind.
    fn pair(
        &mut self,
        machine: &Machine,
        page: (Kind, &str, usize),
        run: &str,
    ) -> Result<(), String> {
        let (kind, page, number) = page;
        if !kind.is_identity() || (page == "1" && machine.is_reaper(run)) {
            return Ok(());
        }
        if kind == Kind::Number {
            if page != run && !machine.exchangeable(page, run) {
                return Err(format!(
                    "{page} is {run} here, and {run} is not a pid or namespace"
                ));
            }
            if page == run && !machine.is_namespace(run) {
                return Ok(()); // shown as it is: no name is needed
            }
        }
        self.remember((kind, page, number), run)?;
        match kind {
            Kind::Id if page.len() == 64 && run.len() == 64 => {
                self.remember((kind, &page[..12], number), &run[..12]) // the short form of the id
            }
            _ => Ok(()),
        }
    }

    /// Adds a pair, or finds that one half has been paired with another.
    fn remember(
        &mut self,
        page: (Kind, &str, usize),
        run: &str,
    ) -> Result<(), String> {
        let (kind, page, number) = page;
        let key = (kind, page.to_owned());
        let back = (kind, run.to_owned());
        let (known, at) =
            self.to_run.get(&key).cloned().unwrap_or((run.to_owned(), number));
        if known != run {
            return Err(format!(
                "{page} was {known} on line {at}, and is {run} here"
            ));
        }
        let (shown, at) = self
            .to_page
            .get(&back)
            .cloned()
            .unwrap_or((page.to_owned(), number));
        if shown != page {
            return Err(format!(
                "{shown} (line {at}) and {page} are both {run}"
            ));
        }
        self.to_run.entry(key).or_insert((run.to_owned(), number));
        self.to_page.entry(back).or_insert((page.to_owned(), number));
        Ok(())
    }
}

/// Exchanges every token that has a partner.
fn translate(
    pairs: &HashMap<(Kind, String), (String, usize)>,
    line: &str,
) -> String {
    let parts = split(line);
    let mut text = parts.texts[0].to_owned();
    for ((kind, token), after) in parts.tokens.iter().zip(&parts.texts[1..]) {
        let pair = pairs.get(&(*kind, (*token).to_owned()));
        text.push_str(pair.map_or(token, |(partner, _)| partner));
        text.push_str(after);
    }
    text
}

/// One blank for any number of them: columns are as wide as the pids in them.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares whole outputs; the pid in them is this test's own.
    fn compare(page: &str, run: &str) -> Result<(), Difference> {
        let lines =
            |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        Renaming::default().compare(
            &Machine::now(),
            (&lines(page), 10),
            &lines(run),
        )
    }

    #[test]
    fn other_numbers_with_the_same_relations_pass() {
        let page = "mnt:[4026532100]\nnet:[4026532101]\nmnt:[4026532100]";
        let run = "mnt:[4026532777]\nnet:[4026532700]\nmnt:[4026532777]";
        assert_eq!(compare(page, run), Ok(()));
    }

    #[test]
    fn two_namespaces_that_the_page_calls_the_same_must_be_the_same() {
        let page = "mnt:[4026532100]\nmnt:[4026532100]";
        let run = "mnt:[4026532777]\nmnt:[4026532778]";
        let difference = compare(page, run).unwrap_err();
        assert_eq!(difference.index, 1);
        assert_eq!(
            difference.why,
            "4026532100 was 4026532777 on line 10, and is 4026532778 here"
        );
    }

    #[test]
    fn two_namespaces_that_the_page_tells_apart_must_differ() {
        let run = "mnt:[4026532777]\nmnt:[4026532777]";
        assert!(compare("mnt:[4026532100]\nmnt:[4026532101]", run).is_err());
    }

    #[test]
    fn another_exit_code_is_a_lie_but_another_pid_is_not() {
        let own = std::process::id();
        assert!(compare("status 137", "status 99999999").is_err());
        assert_eq!(compare("pid 4242", &format!("pid {own}")), Ok(()));
        assert!(compare("pid 7", &format!("pid {own} ")).is_err());
    }

    #[test]
    fn a_column_may_be_wider_but_not_missing() {
        assert_eq!(compare("NAME   SIZE", "NAME SIZE"), Ok(()));
        assert!(compare("NAME SIZE", "NAME").is_err());
    }

    #[test]
    fn a_short_id_must_be_the_start_of_the_long_one() {
        let (page, run) = ("ab1".repeat(21) + "a", "c2d".repeat(21) + "c");
        let shown = format!("{page}\n{}", &page[..12]);
        assert_eq!(compare(&shown, &format!("{run}\n{}", &run[..12])), Ok(()));
        assert!(compare(&shown, &format!("{run}\n0123456789ab")).is_err());
    }

    #[test]
    fn a_failed_comparison_leaves_no_pair_behind() {
        let mut renaming = Renaming::default();
        let lines =
            |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (machine, page) = (Machine::now(), lines("mnt:[4026532100]\nx"));
        assert!(
            renaming
                .compare(&machine, (&page, 1), &lines("mnt:[4026532200]\ny"))
                .is_err()
        );
        assert_eq!(renaming.as_run("4026532100"), "4026532100");
    }

    #[test]
    fn a_typed_pid_of_the_page_becomes_that_of_the_run() {
        let mut renaming = Renaming::default();
        let (machine, own) = (Machine::now(), std::process::id());
        let (page, run) = (["[1] 4242".to_owned()], [format!("[1] {own}")]);
        renaming.compare(&machine, (&page, 1), &run).unwrap();
        assert_eq!(renaming.as_run("kill 4242"), format!("kill {own}"));
    }
}
