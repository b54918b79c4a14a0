//! One chapter, executed: its terminals, what runs on them, and the names they share.
//!
//! The steps run in the order of the page, whatever terminal they are on. The first thing that
//! is not as the page says ends the session: all that follows was written for another machine.

use crate::bless::Edit;
use crate::chapter::Mode;
use crate::page::{Block, Page};
use crate::reaper::Reaper;
use crate::renaming::Renaming;
use crate::shapes::Machine;
use crate::shown::{self, PAGE_HOME, without_trailing_blanks};
use crate::terminal::{Ending, Login, Terminal};
use crate::transcript::{Check, INTERRUPT, Prompt, Step, Transcript};
use crate::verdict::{self, BLESS};
use anyhow::Result;
use nix::unistd::{Gid, Pid, Uid};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

/// The user of a terminal's shell; each terminal has a shell for either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum User {
    Reader,
    Root,
}

/// What the shells of a session start with.
pub(crate) struct Machinery<'a> {
    pub(crate) reaper: &'a Reaper,
    pub(crate) home: &'a Path,
    /// The user of `$ `.
    pub(crate) reader: (Uid, Gid),
    pub(crate) environment: &'a [(&'static str, String)],
}

/// A chapter that is being executed.
pub(crate) struct Session<'a> {
    page: &'a Page,
    mode: Mode,
    machinery: &'a Machinery<'a>,
    machine: Machine,
    renaming: Renaming,
    terminals: BTreeMap<(u8, User), Terminal>,
    /// Whose shell each terminal used last: `/ # ` is inside that one.
    current: BTreeMap<u8, User>,
    /// Terminals whose last command was not waited for.
    running: BTreeMap<u8, User>,
    /// Commands executed so far.
    pub(crate) ran: usize,
    /// What blessing changes on the page.
    pub(crate) edits: Vec<Edit>,
}

impl<'a> Session<'a> {
    /// Prepares a chapter; terminals are opened when they are first used.
    pub(crate) fn new(
        page: &'a Page,
        mode: Mode,
        machinery: &'a Machinery<'a>,
    ) -> Session<'a> {
        Session {
            page,
            mode,
            machinery,
            machine: Machine::now(),
            renaming: Renaming::default(),
            terminals: BTreeMap::new(),
            current: BTreeMap::new(),
            running: BTreeMap::new(),
            ran: 0,
            edits: Vec::new(),
        }
    }

    /// The pids of the shells on the terminals.
    pub(crate) fn shells(&self) -> Vec<Pid> {
        self.terminals.values().map(Terminal::shell).collect()
    }

    /// Executes a block.
    ///
    /// # Errors
    /// A `Finding` for the first thing that is not as the page says; else we were interrupted.
    pub(crate) fn play(
        &mut self,
        block: &Block,
        transcript: &Transcript,
    ) -> Result<()> {
        self.resume(block, transcript)?;
        for (index, step) in transcript.steps.iter().enumerate() {
            let next = transcript.steps.get(index + 1);
            self.step(block, transcript, (step, next))?;
        }
        Ok(())
    }

    /// Finishes what an earlier block left running on this terminal.
    fn resume(&mut self, block: &Block, transcript: &Transcript) -> Result<()> {
        let (number, lead) = (transcript.terminal, transcript.lead.clone());
        let Some(user) = self.running.remove(&number) else {
            let what = format!(
                "output without a command: nothing runs on terminal {number}"
            );
            let wrong = self.page.finding(block.line + 1, what, BLESS);
            return if lead.is_empty() { Ok(()) } else { Err(wrong.into()) };
        };
        let deadline = Instant::now() + transcript.deadline;
        let reaper = self.machinery.reaper;
        let interrupt =
            block.lines[lead.clone()].iter().position(|line| line == INTERRUPT);
        let terminal = self.terminal((number, user))?;
        let mut rest = lead.clone();
        if let Some(at) = interrupt {
            let seen = terminal.lines(reaper, deadline, at)?;
            terminal.interrupt(reaper, transcript.deadline)?;
            self.compare(block, transcript, (0..at, seen))?;
            rest = at + 1..lead.end;
        }
        let (seen, ending) =
            self.terminal((number, user))?.answer(reaper, deadline)?;
        match ending {
            Ending::Status(0) => {}
            Ending::Status(_)
                if interrupt.is_some() || asks(transcript.steps.first()) => {}
            _ => {
                return Err(verdict::bad_end(
                    self.page,
                    block.line,
                    &seen,
                    (&ending, 0),
                )
                .into());
            }
        }
        // bash ends the line that the interrupted program may have begun.
        let seen = if interrupt.is_some() {
            seen.trim_start_matches('\n').into()
        } else {
            seen
        };
        self.compare(block, transcript, (rest, seen))
    }

    /// Types a command, and compares what it shows.
    fn step(
        &mut self,
        block: &Block,
        transcript: &Transcript,
        (step, next): (&Step, Option<&Step>),
    ) -> Result<()> {
        let user = self.user(transcript.terminal, step.prompt);
        let typed = self.renaming.as_run(&step.command);
        let home = self.machinery.home.to_string_lossy();
        let typed = typed.replace(PAGE_HOME, &home);
        let (reaper, deadline) =
            (self.machinery.reaper, Instant::now() + transcript.deadline);
        let terminal = self.terminal((transcript.terminal, user))?;
        terminal.enter(&typed)?;
        self.ran += 1;
        if transcript.running && next.is_none() {
            let terminal = self.terminal((transcript.terminal, user))?;
            let seen = terminal.lines(reaper, deadline, step.output.len())?;
            self.running.insert(transcript.terminal, user);
            return self.compare(
                block,
                transcript,
                (step.output.clone(), seen),
            );
        }
        let terminal = self.terminal((transcript.terminal, user))?;
        let (seen, ending) = terminal.answer(reaper, deadline)?;
        let expected = if next.is_none() { transcript.status } else { 0 };
        match ending {
            Ending::Status(status) if status == expected || asks(next) => {}
            _ => {
                return Err(verdict::bad_end(
                    self.page,
                    step.line,
                    &seen,
                    (&ending, expected),
                )
                .into());
            }
        }
        self.compare(block, transcript, (step.output.clone(), seen))
    }

    /// Compares what was shown with the lines `range` of the block; blessing notes the change.
    fn compare(
        &mut self,
        block: &Block,
        transcript: &Transcript,
        (range, seen): (Range<usize>, String),
    ) -> Result<()> {
        if transcript.check != Check::Output {
            return Ok(());
        }
        let page = without_trailing_blanks(&block.lines[range.clone()]);
        let run = shown::lines(&seen, self.machinery.home, page);
        let first = block.line + 1 + range.start;
        let Err(difference) =
            self.renaming.compare(&self.machine, (page, first), &run)
        else {
            return Ok(());
        };
        match self.mode {
            Mode::Test => Err(verdict::mismatch(
                self.page,
                first,
                (page, &run),
                &difference,
            )
            .into()),
            Mode::Bless => self.bless(block, range, &run),
        }
    }

    /// Notes that the page shall show this run, with the names that it uses already.
    fn bless(
        &mut self,
        block: &Block,
        range: Range<usize>,
        run: &[String],
    ) -> Result<()> {
        let first = block.line + 1 + range.start;
        let page: Vec<_> = run
            .iter()
            .map(|line| self.renaming.as_page(&self.machine, line))
            .collect();
        if let Err(difference) =
            self.renaming.compare(&self.machine, (&page, first), run)
        {
            return Err(verdict::mismatch(
                self.page,
                first,
                (&page, run),
                &difference,
            )
            .into());
        }
        let edit = Edit::new(block, range, &page).map_err(|what| {
            self.page.finding(
                first,
                what,
                "let the command print something else",
            )
        })?;
        self.edits.push(edit);
        Ok(())
    }

    /// The user whose shell a prompt means.
    fn user(&mut self, terminal: u8, prompt: Prompt) -> User {
        let user = match prompt {
            Prompt::User => User::Reader,
            Prompt::Root => User::Root,
            Prompt::Inside => {
                self.current.get(&terminal).copied().unwrap_or(User::Root)
            }
        };
        self.current.insert(terminal, user);
        user
    }

    /// The terminal and shell that a step is typed on, opened if it is the first.
    fn terminal(&mut self, key: (u8, User)) -> Result<&mut Terminal> {
        if !self.terminals.contains_key(&key) {
            let user = match key.1 {
                User::Reader => self.machinery.reader,
                User::Root => (Uid::from_raw(0), Gid::from_raw(0)),
            };
            let Machinery { home, environment, reaper, .. } = *self.machinery;
            let login = Login { user, home, environment };
            self.terminals.insert(key, Terminal::open(&login, reaper)?);
        }
        Ok(self.terminals.get_mut(&key).expect("inserted above"))
    }
}

/// Tells whether a step shows how the command before it ended.
fn asks(step: Option<&Step>) -> bool {
    step.is_some_and(|step| step.command.contains("$?"))
}
