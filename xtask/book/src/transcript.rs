//! A console block as a list of steps: what is typed after which prompt, and what is answered.
//!
//! The page itself is the script. There is no second language for it: a line with a prompt is
//! typed, the lines below it are what the terminal shows.

use crate::finding::Finding;
use crate::page::{Block, Page};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;
use std::time::Duration;

/// How long a command may take, unless its block says `timeout=SECONDS`.
const DEADLINE: Duration = Duration::from_secs(30);

/// Typed Ctrl-C, as a terminal shows it.
pub(crate) const INTERRUPT: &str = "^C";

/// The hint for every block that cannot be read.
const SYNTAX: &str = "how to write one: cargo xtask book --help";

/// `$ `, `# `, `/ # `, `~ # `, `[name] # ` or `[name] $ `, and the command behind it.
static PROMPT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^((?:\[[\w.@-]+\] |[/~][^ #$]* )?[#$]) (.*)$")
        .expect("a constant pattern")
});

/// Who types: this chooses the shell of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// `$ `: the reader's own shell.
    User,
    /// `# `: root's shell.
    Root,
    /// `/ # `, `[name] # `: a shell inside what the last command on this terminal started.
    Inside,
}

/// A command and its answer.
#[derive(Debug)]
pub(crate) struct Step {
    /// Line of the page, counted from 1.
    pub(crate) line: usize,
    pub(crate) prompt: Prompt,
    /// What is typed, without prompts; more than one line if `> ` continues it.
    pub(crate) command: String,
    /// The lines of the block that the terminal should show.
    pub(crate) output: Range<usize>,
}

/// Whether a block is executed, and what is compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Executed; status and output must be as on the page.
    Output,
    /// Executed; only the status must be as on the page (`may-differ="why"`).
    Status,
    /// Not executed (`norun="why"`).
    Nothing,
}

/// A console block, ready to be executed.
#[derive(Debug)]
pub(crate) struct Transcript {
    pub(crate) terminal: u8,
    pub(crate) check: Check,
    /// Exit status of the last command.
    pub(crate) status: i32,
    pub(crate) deadline: Duration,
    /// Whether the last command is still running when the block ends.
    pub(crate) running: bool,
    /// What a command that an earlier block left running still prints; may hold `^C`.
    pub(crate) lead: Range<usize>,
    pub(crate) steps: Vec<Step>,
}

/// Tells whether a line would be read as typed.
pub(crate) fn looks_typed(line: &str) -> bool {
    PROMPT.is_match(line) || line == INTERRUPT
}

/// The console blocks of a page.
pub(crate) fn consoles(page: &Page) -> impl Iterator<Item = &Block> {
    page.blocks.iter().filter(|block| block.info.language == "console")
}

impl Transcript {
    /// Reads a console block.
    ///
    /// # Errors
    /// An attribute that does not exist or has no value; a block without a command.
    pub(crate) fn parse(
        page: &Page,
        block: &Block,
    ) -> Result<Transcript, Finding> {
        let (lead, steps) = steps(block);
        let mut transcript = Transcript {
            terminal: 1,
            check: Check::Output,
            status: 0,
            deadline: DEADLINE,
            running: false,
            lead,
            steps,
        };
        let wrong = |what: String| page.finding(block.line, what, SYNTAX);
        for flag in &block.info.flags {
            transcript.flag(flag).map_err(wrong)?;
        }
        for (name, value) in &block.info.attributes {
            transcript.attribute(name, value).map_err(wrong)?;
        }
        if transcript.steps.is_empty()
            && !block.lines.iter().any(|line| line == INTERRUPT)
        {
            return Err(wrong("a console block without a command".into()));
        }
        Ok(transcript)
    }

    fn flag(&mut self, flag: &str) -> Result<(), String> {
        match flag {
            "running" => self.running = true,
            _ => {
                return Err(format!(
                    "console block: unknown attribute {flag:?}"
                ));
            }
        }
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong =
            |_| format!("console block: {name}={value:?} is not a number");
        match name {
            "term" => self.terminal = value.parse().map_err(wrong)?,
            "status" => self.status = value.parse().map_err(wrong)?,
            "timeout" => {
                self.deadline =
                    Duration::from_secs(value.parse().map_err(wrong)?)
            }
            "norun" | "may-differ" if value.is_empty() => {
                return Err(format!("console block: {name} without a reason"));
            }
            "norun" => self.check = Check::Nothing,
            "may-differ" => self.check = Check::Status,
            _ => {
                return Err(format!(
                    "console block: unknown attribute {name:?}"
                ));
            }
        }
        Ok(())
    }
}

/// Divides a block into what stands before the first prompt, and the steps.
fn steps(block: &Block) -> (Range<usize>, Vec<Step>) {
    let mut steps: Vec<Step> = Vec::new();
    let mut lead = 0..0;
    for (index, text) in block.lines.iter().enumerate() {
        let typed = PROMPT.captures(text);
        match (typed, steps.last_mut()) {
            (Some(found), _) => steps.push(Step {
                line: block.line + 1 + index,
                prompt: prompt(&found[1]),
                command: found[2].to_owned(),
                output: index + 1..index + 1,
            }),
            (None, None) => lead.end = index + 1,
            (None, Some(step)) => extend(step, text, index),
        }
    }
    (lead, steps)
}

/// Adds a line to a step: to its command if it continues, else to its output.
fn extend(step: &mut Step, text: &str, index: usize) {
    let continued = text
        .strip_prefix("> ")
        .or(text.strip_prefix('>').filter(|r| r.is_empty()));
    match continued {
        Some(more) if step.output.is_empty() => {
            step.command.push('\n');
            step.command.push_str(more);
            step.output = index + 1..index + 1;
        }
        _ => step.output.end = index + 1,
    }
}

fn prompt(shown: &str) -> Prompt {
    match shown {
        "$" => Prompt::User,
        "#" => Prompt::Root,
        _ => Prompt::Inside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Transcript, Finding> {
        let page = Page::parse("p.md".into(), text);
        Transcript::parse(&page, &page.blocks[0])
    }

    #[test]
    fn prompts_say_who_types_and_the_rest_is_output() {
        let block = "```console\n$ id -u\n1000\n# id -u\n0\n/ # ls\n[box] # ls\n~ # x\n```\n";
        let steps = parse(block).unwrap().steps;
        let prompts: Vec<_> = steps.iter().map(|s| s.prompt).collect();
        let inside = Prompt::Inside;
        assert_eq!(
            prompts,
            [Prompt::User, Prompt::Root, inside, inside, inside]
        );
        assert_eq!(
            (steps[0].output.clone(), steps[2].output.clone()),
            (1..2, 5..5)
        );
        assert_eq!(steps[1].line, 4);
    }

    #[test]
    fn a_command_continues_until_its_first_output() {
        let steps =
            parse("```console\n$ cat <<E\n> one\n> E\none\n> two\n```\n")
                .unwrap()
                .steps;
        assert_eq!(steps[0].command, "cat <<E\none\nE");
        assert_eq!(steps[0].output, 3..5);
    }

    #[test]
    fn an_unknown_attribute_is_refused() {
        let wrong = parse("```console statsu=1\n$ false\n```\n").unwrap_err();
        assert!(wrong.what.contains("statsu"), "{wrong}");
    }

    #[test]
    fn not_running_a_block_needs_a_reason() {
        let wrong =
            parse("```console norun=\"\"\n$ reboot\n```\n").unwrap_err();
        assert!(wrong.what.contains("without a reason"), "{wrong}");
    }
}
