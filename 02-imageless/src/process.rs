//! What a configuration calls `process`, and the last steps on its way to the
//! user's program: the same for a container's init and for what `exec` adds
//! to it.

use crate::capabilities::{self, Sets};
use crate::every_process::EveryProcess;
use crate::labels::{self, Label};
use crate::outside::Outside;
use crate::program::{self, Program};
use crate::rlimits::{self, Rlimit};
use crate::scheduling::Turn;
use crate::seccomp::{Filter, Introduction};
use crate::{credentials, home, log, stdio};
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::process::{exec, exec_failure_code};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::unistd::{chdir, fchdir, getcwd};
use oci_spec::runtime::Process;
use std::ffi::{CStr, CString};
use std::fs;
use std::path::Path;

/// A process, ready to be made.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) config: Process,
    rlimits: Vec<Rlimit>,
    capabilities: Sets,
    turn: Turn,
    pub(crate) labels: Vec<Label>,
    program: Program,
    pub(crate) common: EveryProcess,
}

// ANCHOR: filter_from
/// When the filter of system calls begins to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FilterFrom {
    /// While we have the right to set one that comes without no_new_privs.
    Root,
    /// When all is done but to run the program: `create` can still say that the
    /// agent is not there.
    Ready,
    /// As late as it can be: what we call ourselves until then, the filter need
    /// not allow.
    Execve,
}
// ANCHOR_END: filter_from

impl Planned {
    /// Translates it, for a container that says this of all its processes.
    ///
    /// # Errors
    /// Names the field that is wrong.
    ///
    /// Source: runtime-spec: config.md, "Process"
    pub(crate) fn new(config: Process, common: EveryProcess) -> Result<Self> {
        let rlimits = config.rlimits().as_deref().unwrap_or_default();
        Ok(Self {
            rlimits: rlimits::plan(rlimits)?,
            capabilities: capabilities::plan(config.capabilities().as_ref()),
            turn: Turn::plan(&config)?,
            labels: labels::plan(&config)?,
            program: program::plan(&config)?,
            config,
            common,
        })
    }

    /// Sets how gladly the kernel kills us when memory is short. Below our own
    /// present value takes CAP_SYS_RESOURCE; without it we keep that value.
    /// Through the host's /proc, so before it is out of sight.
    ///
    /// Source: proc_pid_oom_score_adj(5)
    pub(crate) fn adjust_oom_score(&self) -> Result<()> {
        const FILE: &str = "/proc/self/oom_score_adj";
        let Some(wanted) = self.config.oom_score_adj() else { return Ok(()) };
        match fs::write(FILE, wanted.to_string()) {
            Err(cause)
                if cause.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                Ok(())
            }
            result => result
                .in_call(|| format!("write({FILE:?}, \"{wanted}\")"))
                .context("config.json: process.oomScoreAdj"),
        }
    }

    /// Gives up what the process shall not have: resources, then the rights of
    /// root.
    pub(crate) fn restrict(&self, outside: &mut Outside) -> Result<()> {
        let user = self.config.user();
        self.common.apply()?;
        self.turn.apply()?;
        rlimits::apply(&self.rlimits)?;
        stdio::give_to(user.uid())?;
        if let Some(proc) = &outside.proc {
            proc.write(&self.labels)?;
        }
        if self.filter_from() == FilterFrom::Root {
            self.load_filter(outside.agent.take())?;
        }
        credentials::apply(user, self.capabilities, self.no_new_privileges())
    }

    /// Goes where the program starts and finds its file, as the user that we are
    /// now and in the root: what is found now is what execve(2) will find.
    pub(crate) fn find_program(
        &self,
        outside: &mut Outside,
    ) -> Result<CString> {
        self.enter_cwd()?;
        let program = program::find(&self.config)?;
        if self.filter_from() == FilterFrom::Ready {
            self.load_filter(outside.agent.take())?;
        }
        Ok(program)
    }

    fn filter_from(&self) -> FilterFrom {
        let filter = self.common.filter.as_ref();
        let asks = filter.is_some_and(Filter::asks);
        match (self.no_new_privileges(), asks) {
            (false, _) => FilterFrom::Root,
            (true, true) => FilterFrom::Ready,
            (true, false) => FilterFrom::Execve,
        }
    }

    fn no_new_privileges(&self) -> bool {
        self.config.no_new_privileges() == Some(true)
    }

    fn load_filter(&self, agent: Option<Introduction>) -> Result<()> {
        let filter = self.common.filter.as_ref();
        filter.map_or(Ok(()), |filter| filter.load(agent))
    }

    // ANCHOR: enter_cwd
    /// Goes to `process.cwd`, and makes sure that it is inside: a descriptor of
    /// the host that was left open makes `/proc/self/fd/7` a way out
    /// (CVE-2024-21626).
    fn enter_cwd(&self) -> Result<()> {
        let cwd = self.config.cwd();
        chdir(cwd)
            .in_call(|| format!("chdir({cwd:?})"))
            .context("config.json: process.cwd")?;
        match getcwd() {
            Ok(now) if now.is_absolute() => Ok(()),
            Ok(_) | Err(Errno::ENOENT) => bail!(
                "config.json: process.cwd: {cwd:?} is outside of the \
                 container's root"
            ),
            // The container's filter refuses the question.
            Err(_) => enter_without_magic_links(cwd)
                .context("config.json: process.cwd"),
        }
    }
    // ANCHOR_END: enter_cwd

    /// Returns only if it failed. By now stderr is the container's own; who else
    /// may be told, is told by `tell`.
    pub(crate) fn become_program(
        &self,
        file: &CStr,
        tell: impl FnOnce(&anyhow::Error),
    ) -> i32 {
        let Program { argv, env } = &self.program;
        let env = home::with_home(env, self.config.user().uid());
        if self.filter_from() == FilterFrom::Execve
            && let Err(error) = self.load_filter(None)
        {
            log::say(&format!("{error:#}"));
            tell(&error);
            return 1;
        }
        let error = exec(file, argv, &env);
        log::say(&error.to_string());
        let code = exec_failure_code(&error);
        tell(&error.into());
        code
    }
}

/// Goes there by a way on which the kernel follows no link of /proc: no other
/// leads out of the root.
///
/// Source: openat2(2), RESOLVE_NO_MAGICLINKS, "Linux 5.6 (2020-03)"
fn enter_without_magic_links(dir: &Path) -> Result<()> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let dir = openat2(AT_FDCWD, dir, how)
        .in_call(|| format!("openat2({dir:?}, RESOLVE_NO_MAGICLINKS)"))?;
    fchdir(dir).in_call(|| "fchdir(..)".into())?;
    Ok(())
}
