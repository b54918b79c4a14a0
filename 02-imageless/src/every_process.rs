//! What a configuration says of every process of the container, below `linux`:
//! init gets it, and `exec` gives it to each that comes later. So it is kept with
//! the container.

use crate::id::Id;
use crate::memory_policy::MemoryPolicy;
use crate::seccomp::{Agent, Filter};
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::keyring::join_session_keyring;
use nix::sys::personality::{self, Persona};
use oci_spec::runtime::{Linux, LinuxPersonality, LinuxPersonalityDomain};
use serde::{Deserialize, Serialize};
use std::ffi::CString;

/// All of it, translated.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EveryProcess {
    /// The session keyring's name. `None`: the caller's stays.
    keyring: Option<String>,
    personality: Option<i32>,
    memory_policy: Option<MemoryPolicy>,
    pub(crate) filter: Option<Filter>,
}

/// Which session keyring a container's processes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyring {
    /// One of their own.
    New,
    /// That of whoever called `create`.
    Callers,
}

impl EveryProcess {
    /// Translates it for the container `id`.
    ///
    /// # Errors
    /// Names the field.
    ///
    /// Source: runtime-spec: config-linux.md, "Seccomp", "Personality", "Memory
    /// policy"; the keyring's name is runc's
    pub(crate) fn plan(
        linux: &Linux,
        id: &Id,
        keyring: Keyring,
    ) -> Result<Self> {
        Ok(Self {
            keyring: match keyring {
                Keyring::New => Some(format!("_ses.{id}")),
                Keyring::Callers => None,
            },
            personality: linux
                .personality()
                .as_ref()
                .map(domain)
                .transpose()?,
            memory_policy: linux
                .memory_policy()
                .as_ref()
                .map(MemoryPolicy::plan)
                .transpose()?,
            filter: linux.seccomp().as_ref().map(Filter::plan).transpose()?,
        })
    }

    /// Connects to the agent that decides some of their calls.
    ///
    /// # Errors
    /// See [`Filter::agent`].
    pub(crate) fn agent(&self) -> Result<Option<Agent>> {
        self.filter.as_ref().map_or(Ok(None), Filter::agent)
    }

    /// Sets all but the filter, whose time comes later. Runs in the process, as
    /// root of its user namespace: the keyring belongs to who makes it.
    ///
    /// # Errors
    /// See [`join_session_keyring`] and [`MemoryPolicy::apply`].
    ///
    /// Source: personality(2), session-keyring(7)
    pub(crate) fn apply(&self) -> Result<()> {
        if let Some(name) = &self.keyring {
            let name = CString::new(name.as_str())?;
            join_session_keyring(&name).context(NO_NEW_KEYRING)?;
        }
        if let Some(domain) = self.personality {
            personality::set(Persona::from_bits_retain(domain))
                .in_call(|| format!("personality({domain:#x})"))
                .context("config.json: linux.personality")?;
        }
        self.memory_policy.as_ref().map_or(Ok(()), MemoryPolicy::apply)
    }
}

const NO_NEW_KEYRING: &str = "a session keyring for the container (not made \
                              with --no-new-keyring)";

/// Source: personality(2), linux/personality.h
fn domain(config: &LinuxPersonality) -> Result<i32> {
    const PER_LINUX: i32 = 0;
    const PER_LINUX32: i32 = 8;
    if let Some(flag) = config.flags().iter().flatten().next() {
        bail!(
            "config.json: linux.personality.flags[0]: {flag:?}: the \
             specification has no flags"
        );
    }
    Ok(match config.domain() {
        LinuxPersonalityDomain::PerLinux => PER_LINUX,
        LinuxPersonalityDomain::PerLinux32 => PER_LINUX32,
    })
}
