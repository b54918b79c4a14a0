//! Descriptors that the caller has opened for the program: those of socket
//! activation (`LISTEN_FDS`), then those of `--preserve-fds`. All others are
//! closed.

use anyhow::{Context, Result};
use namespaces::InCall;
use oci_spec::runtime::Process;
use std::fs;

/// How many descriptors after stderr the program keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptFds {
    listening: u32,
    preserved: u32,
}

impl KeptFds {
    /// Counts them, and looks whether they are open.
    ///
    /// # Errors
    /// ENOENT: one of them is not.
    ///
    /// Source: sd_listen_fds(3)
    pub(crate) fn find(preserved: u32) -> Result<Self> {
        let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
        let is_ours = number("LISTEN_PID") == Some(std::process::id());
        let listening =
            number("LISTEN_FDS").filter(|_| is_ours).unwrap_or_default();
        let kept = Self { listening, preserved };
        kept.check().with_context(|| format!("--preserve-fds {preserved}"))?;
        Ok(kept)
    }

    /// Stops at the first that is not open: no number is too large.
    fn check(self) -> Result<()> {
        for fd in 3..self.count().saturating_add(3) {
            let link = format!("/proc/self/fd/{fd}");
            fs::read_link(&link).in_call(|| format!("readlink({link:?})"))?;
        }
        Ok(())
    }

    /// All of them.
    pub(crate) fn count(self) -> u32 {
        self.listening.saturating_add(self.preserved)
    }

    /// Tells the program of those that it may listen on, as process 1.
    pub(crate) fn announce(self, process: &mut Process) {
        if self.listening > 0 {
            process.env_mut().get_or_insert_default().extend([
                format!("LISTEN_FDS={}", self.listening),
                "LISTEN_PID=1".to_owned(),
            ]);
        }
    }
}
