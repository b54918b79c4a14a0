//! Leaves the process that started us: the manager may be restarted, its
//! terminal may close, its children may be killed as a group, and none of that
//! may end the container's output. The process that was started only waits
//! until the shim has taken over, and returns; init, or the next subreaper,
//! becomes the shim's parent.

use std::fs::OpenOptions;
use std::io::{self, PipeReader, PipeWriter, Read, Write};

use anyhow::{Result, bail};
use namespaces::process::{self, SpawnOptions};
use namespaces::{InCall, SyscallError};
use nix::sys::prctl;
use nix::sys::stat::{Mode, umask};
use nix::unistd;

/// The pipe to the process that was started: it waits in the foreground for the
/// shim's word that it may return.
#[derive(Debug)]
pub(crate) struct ForegroundPipe(PipeWriter);

impl ForegroundPipe {
    /// Lets the process in the foreground exit with status 0.
    pub(crate) fn release(self) {
        self.tell("");
    }

    /// Lets the process in the foreground print `why` on the standard error
    /// that the shim has left, and exit with status 1.
    pub(crate) fn fail(self, why: &str) {
        self.tell(why);
    }

    fn tell(mut self, text: &str) {
        // EPIPE: that process was killed. The shim's life does not depend on
        // it, that is the point of it.
        let _ = self.0.write_all(format!("{text}\n").as_bytes());
    }
}

/// Runs `shim` in a process of its own, and returns when that process has taken
/// over.
///
/// Nobody of ours reaps the shim: it is orphaned on purpose, and its new parent
/// does.
///
/// # Errors
/// What the shim says in [`ForegroundPipe::fail`], or that it could not be
/// made.
pub(crate) fn detach(shim: impl FnOnce(ForegroundPipe) -> i32) -> Result<()> {
    let (news, foreground) =
        io::pipe().in_call(|| "pipe2(O_CLOEXEC)".into())?;
    let mut news = Some(news);
    process::spawn(&SpawnOptions::default(), || {
        drop(news.take()); // the reading end is not the shim's
        shim(ForegroundPipe(foreground))
    })?;
    news.take().map_or(Ok(()), wait_for_news)
}

/// Reads one line: empty if all is well. End-of-file means that the shim died
/// before it could say anything.
fn wait_for_news(mut news: PipeReader) -> Result<()> {
    let mut text = String::new();
    news.read_to_string(&mut text)
        .in_call(|| "read(pipe from the shim)".into())?;
    match text.strip_suffix('\n') {
        Some("") => Ok(()),
        Some(why) => bail!("{why}"),
        None => bail!("the shim died before it had taken over"),
    }
}

/// Cuts every tie to the process that started us.
///
/// # Errors
/// EMFILE, ENFILE: no descriptor is left. ENOENT: there is no /dev/null.
///
/// Source: daemon(7), "SysV Daemons"; `PR_SET_CHILD_SUBREAPER(2const)`,
/// Linux 3.4 (2012-05)
// ANCHOR: ties
pub(crate) fn cut_ties(cid: &str) -> Result<(), SyscallError> {
    // Out of the session: no SIGHUP when the manager's terminal closes, no
    // signal meant for its process group.
    unistd::setsid().in_call(|| "setsid()".into())?;
    unistd::chdir("/").in_call(|| r#"chdir("/")"#.into())?;
    // What the container and its files get must not depend on who started us.
    umask(Mode::from_bits_truncate(0o022));
    // All dispositions, not only SIGPIPE: a SIGCHLD that the manager ignores
    // stays ignored over execve(2), and the kernel then reaps our children
    // itself and throws their exit status away.
    process::reset_signals()?;
    // Before the runtime is spawned: a process is given to the subreaper that
    // exists when its parent dies. If the runtime died first, the container
    // process would already be init's, and its exit status lost to us.
    prctl::set_child_subreaper(true)
        .in_call(|| "prctl(PR_SET_CHILD_SUBREAPER, 1)".into())?;
    rename_process(cid)?;
    stdio_to_null()
}
// ANCHOR_END: ties

/// Shows in ps(1) and top(1) which container this shim is for. The kernel keeps
/// 15 bytes.
fn rename_process(cid: &str) -> Result<(), SyscallError> {
    let name: String =
        format!("shim:{cid}").chars().filter(char::is_ascii_graphic).collect();
    let name =
        std::ffi::CString::new(name).expect("graphic characters are not NUL");
    prctl::set_name(&name).in_call(|| format!("prctl(PR_SET_NAME, {name:?})"))
}

/// A pipe of the manager's that we held as stderr would never reach its end; a
/// terminal would be kept busy.
fn stdio_to_null() -> Result<(), SyscallError> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null");
    let null = null.in_call(|| r#"open("/dev/null", O_RDWR)"#.into())?;
    unistd::dup2_stdin(&null).in_call(|| "dup2(/dev/null, 0)".into())?;
    unistd::dup2_stdout(&null).in_call(|| "dup2(/dev/null, 1)".into())?;
    unistd::dup2_stderr(&null).in_call(|| "dup2(/dev/null, 2)".into())
}
