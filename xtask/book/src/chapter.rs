//! `test` and `bless`: every chapter in a directory of its own, on a machine that must be the
//! same afterwards.
//!
//! No silent skip: what was not executed is counted, and a chapter that ran nothing fails.

use crate::book::Book;
use crate::finding::{self, Finding};
use crate::host;
use crate::lint::ratchet;
use crate::page::{Block, Page};
use crate::reaper::{self, Process, Reaper};
use crate::session::{Machinery, Session};
use crate::transcript::{Check, Prompt, Transcript, consoles};
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid, chown};
use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// How long what a chapter ended may take to die.
const GRACE: Duration = Duration::from_secs(3);

const LEAK: &str =
    "end on the page what the page began; run again if another program made it";

const SYSTEM_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Whether the page judges the run, or the run the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Test,
    Bless,
}

/// Executes the chapters (all if none is named), and tells whether all is as the pages say.
///
/// # Errors
/// A chapter that does not exist; we were interrupted.
pub(crate) fn run(
    book: &Book,
    chapters: &[String],
    mode: Mode,
) -> Result<bool> {
    let reaper = Reaper::install()?;
    let mut findings = ratchet::check(book)?;
    for page in chosen(book, chapters)? {
        match chapter(book, page, (mode, &reaper)) {
            Ok(said) => println!("{}: {said}", page.name()),
            Err(error) => {
                let finding = error.downcast::<Finding>()?;
                println!("{}: FAILED", page.name());
                findings.push(finding);
            }
        }
    }
    Ok(finding::report(&findings))
}

/// The pages that have console blocks, or those that are named.
fn chosen<'a>(book: &'a Book, chapters: &[String]) -> Result<Vec<&'a Page>> {
    if chapters.is_empty() {
        return Ok(book
            .pages
            .iter()
            .filter(|page| consoles(page).count() > 0)
            .collect());
    }
    let by_name = |name: &String| {
        let wanted =
            name.rsplit('/').next().unwrap_or(name).trim_end_matches(".md");
        let found = book.pages.iter().find(|page| page.name() == wanted);
        found.with_context(|| format!("no chapter {name:?} in SUMMARY.md"))
    };
    chapters.iter().map(by_name).collect()
}

/// Executes one chapter, cleans up behind it, and sums up.
fn chapter(
    book: &Book,
    page: &Page,
    (mode, reaper): (Mode, &Reaper),
) -> Result<String> {
    let blocks = transcripts(page)?;
    let skipped =
        blocks.iter().filter(|(_, t)| t.check == Check::Nothing).count();
    let loose = blocks.iter().filter(|(_, t)| t.check == Check::Status).count();
    if needs_root(&blocks) && !Uid::effective().is_root() {
        return skip(page);
    }
    let before = host::look();
    let reader = reader();
    let home = home(reader)?;
    let environment = environment(home.path())?;
    let machinery = Machinery {
        reaper,
        home: home.path(),
        reader,
        environment: &environment,
    };
    let mut session = Session::new(page, mode, &machinery);
    let played = play(&mut session, &blocks);
    let (shells, ran) = (session.shells(), session.ran);
    let edits = std::mem::take(&mut session.edits);
    let left = if played.is_ok() {
        still_running(reaper, &shells)?
    } else {
        Vec::new()
    };
    drop(session);
    end_all(reaper, &shells)?;
    let leaked = host::leaks(reaper, &before, home.path())?;
    host::clean_up(&leaked, home.path());
    remove(home);
    played?;
    let leaks = left.iter().map(|p| format!("process {} ({})", p.pid, p.name));
    let leaks: Vec<_> =
        leaks.chain(leaked.iter().map(ToString::to_string)).collect();
    judge(page, ran, &leaks)?;
    let blessed = edits.len();
    if blessed > 0 {
        crate::bless::write(&book.file(page), page, edits)?;
    }
    let counts =
        format!("{ran} commands, {skipped} blocks not run, {loose} may differ");
    Ok(if mode == Mode::Bless {
        format!("{counts}, {blessed} outputs blessed")
    } else {
        counts
    })
}

fn transcripts(page: &Page) -> Result<Vec<(&Block, Transcript)>, Finding> {
    consoles(page)
        .map(|block| Ok((block, Transcript::parse(page, block)?)))
        .collect()
}

fn needs_root(blocks: &[(&Block, Transcript)]) -> bool {
    let executed = blocks.iter().filter(|(_, t)| t.check != Check::Nothing);
    executed.flat_map(|(_, t)| &t.steps).any(|step| step.prompt == Prompt::Root)
}

fn play(
    session: &mut Session<'_>,
    blocks: &[(&Block, Transcript)],
) -> Result<()> {
    for (block, transcript) in blocks {
        if transcript.check != Check::Nothing {
            session.play(block, transcript)?;
        }
    }
    Ok(())
}

/// Fails a chapter that executed nothing, or that left something behind.
fn judge(page: &Page, ran: usize, leaks: &[String]) -> Result<(), Finding> {
    let line = consoles(page).last().map_or(1, |block| block.line);
    if ran == 0 {
        let what = "no console block of this chapter was executed".to_owned();
        return Err(page.finding(
            line,
            what,
            "let at least one run, or tag all as `text`",
        ));
    }
    if !leaks.is_empty() {
        let what = format!("the chapter leaves behind: {}", leaks.join(", "));
        return Err(page.finding(line, what, LEAK));
    }
    Ok(())
}

/// Without root a chapter for root is skipped aloud; CI does not accept that.
fn skip(page: &Page) -> Result<String> {
    let what = "this chapter needs root: it has commands with the prompt `# `"
        .to_owned();
    let hint = "build as you, run as root: `cargo xtask book test` asks sudo";
    if env::var_os("CONMAN_REQUIRE_ALL").is_some_and(|value| value == "1") {
        return Err(page.finding(1, what, hint).into());
    }
    eprintln!("SKIPPED {}: {what}\n  hint: {hint}", page.name());
    Ok("SKIPPED, not root".to_owned())
}

/// Who types at `$ `: an ordinary user, by the id that the pages show; without root, we.
fn reader() -> (Uid, Gid) {
    const READER: u32 = 1000;
    match Uid::effective().is_root() {
        true => (Uid::from_raw(READER), Gid::from_raw(READER)),
        false => (Uid::effective(), Gid::effective()),
    }
}

/// A fresh directory with a short path, because paths of sockets end after 108 bytes.
fn home(reader: (Uid, Gid)) -> Result<TempDir> {
    let home = tempfile::Builder::new().prefix("book.").tempdir_in("/tmp")?;
    let runtime = home.path().join(".run");
    fs::create_dir(&runtime)?;
    fs::set_permissions(&runtime, Permissions::from_mode(0o700))?;
    fs::set_permissions(home.path(), Permissions::from_mode(0o755))?;
    for dir in [&runtime, home.path()] {
        chown(dir, Some(reader.0), Some(reader.1))
            .context("chown(home, ..)")?;
    }
    Ok(home)
}

/// All that a shell inherits. This program's own folder comes first in PATH: cargo has put the
/// freshly built programs of all stages there. Their examples come last: one is called `mount`.
fn environment(home: &Path) -> Result<Vec<(&'static str, String)>> {
    let ours = env::current_exe().context("readlink(\"/proc/self/exe\")")?;
    let Some(built) = ours.parent() else {
        bail!("{}: no folder", ours.display())
    };
    let (built, home) = (built.display(), home.display());
    Ok(vec![
        ("PATH", format!("{built}:{SYSTEM_PATH}:{built}/examples")),
        ("HOME", home.to_string()),
        ("XDG_RUNTIME_DIR", format!("{home}/.run")),
        ("LC_ALL", "C".into()),
        ("TZ", "UTC".into()),
        ("PS1", String::new()),
        ("PS2", String::new()),
        // Both together: a nested bash does not start readline, which would echo what is typed.
        ("TERM", "dumb".into()),
        ("INSIDE_EMACS", "book".into()),
    ])
}

/// What still runs when the last command has been answered, the terminals' own shells apart.
fn still_running(reaper: &Reaper, shells: &[Pid]) -> Result<Vec<Process>> {
    let others = || {
        let mut all = reaper::descendants();
        all.retain(|process| !shells.contains(&process.pid));
        all
    };
    reaper.until(GRACE, || others().is_empty())?;
    Ok(others())
}

/// Hangs the terminals up, and ends whatever still descends from us.
fn end_all(reaper: &Reaper, shells: &[Pid]) -> Result<()> {
    for shell in shells {
        let _ = kill(*shell, Signal::SIGHUP); // it may have ended on the page
    }
    let gone = reaper.until(GRACE, || {
        for process in reaper::descendants() {
            let _ = kill(process.pid, Signal::SIGKILL); // it may end by itself meanwhile
        }
        reaper::descendants().is_empty()
    })?;
    if !gone {
        eprintln!("cannot be killed: {:?}", reaper::descendants());
    }
    Ok(())
}

/// Removes the chapter's directory, unless that would reach through a mount.
fn remove(home: TempDir) {
    if host::is_mounted_below(home.path()) {
        eprintln!(
            "something is mounted below {}: left in place",
            home.keep().display()
        );
    }
}
