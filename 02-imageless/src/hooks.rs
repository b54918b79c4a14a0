//! Hooks: programs of the engine's that run at six moments of a container's
//! life, such as one that gives it a network card. Each gets the container's
//! state on its standard input. Most run outside; two run in init, in the
//! container's namespaces.

mod output;
mod program;

use crate::container::Status;
use crate::state::State;
use anyhow::{Context, Result, bail};
use oci_spec::runtime::{Hook, Hooks, Spec};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// When a hook runs, in the order of a container's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// As [`Moment::CreateRuntime`], and before those. The runtime-spec has
    /// deprecated it; engines still write it.
    Prestart,
    /// The mounts are made, and pivot_root(2) is not called yet.
    CreateRuntime,
    /// The same, in init.
    CreateContainer,
    /// `start` was called, and the program does not run yet. In init.
    StartContainer,
    /// The program runs, and `start` has not returned yet.
    Poststart,
    /// The container is deleted.
    Poststop,
}

impl Moment {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Prestart,
        Self::CreateRuntime,
        Self::CreateContainer,
        Self::StartContainer,
        Self::Poststart,
        Self::Poststop,
    ];

    /// Gives its field in `hooks`.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Prestart => "prestart",
            Self::CreateRuntime => "createRuntime",
            Self::CreateContainer => "createContainer",
            Self::StartContainer => "startContainer",
            Self::Poststart => "poststart",
            Self::Poststop => "poststop",
        }
    }

    /// Where the container is in its life then.
    ///
    /// Source: runtime-spec: runtime.md, "Lifecycle"
    // ANCHOR: moment_status
    fn status(self) -> Status {
        match self {
            Self::Prestart | Self::CreateRuntime | Self::CreateContainer => {
                Status::Creating
            }
            Self::StartContainer => Status::Created,
            Self::Poststart => Status::Running,
            Self::Poststop => Status::Stopped,
        }
    }
    // ANCHOR_END: moment_status

    #[allow(deprecated)] // prestart
    fn of(self, hooks: &Hooks) -> &[Hook] {
        let hooks = match self {
            Self::Prestart => hooks.prestart(),
            Self::CreateRuntime => hooks.create_runtime(),
            Self::CreateContainer => hooks.create_container(),
            Self::StartContainer => hooks.start_container(),
            Self::Poststart => hooks.poststart(),
            Self::Poststop => hooks.poststop(),
        };
        hooks.as_deref().unwrap_or_default()
    }
}

/// Says whether there is anything to run at one of these moments.
pub(crate) fn any(hooks: Option<&Hooks>, moments: &[Moment]) -> bool {
    let has = |hooks| moments.iter().any(|at| !at.of(hooks).is_empty());
    hooks.is_some_and(has)
}

/// Checks what the types cannot say.
///
/// # Errors
/// Names the field.
///
/// Source: runtime-spec: config.md, "POSIX-platform Hooks"
pub(crate) fn check(spec: &Spec) -> Result<()> {
    let Some(hooks) = spec.hooks() else { return Ok(()) };
    for moment in Moment::ALL {
        for (i, hook) in moment.of(hooks).iter().enumerate() {
            let field = format!("hooks.{}[{i}]", moment.field());
            if !hook.path().is_absolute() {
                let path = hook.path();
                bail!("{field}.path: {path:?} is not an absolute path");
            }
            if let Some(timeout @ ..=0) = hook.timeout() {
                bail!("{field}.timeout: {timeout} is not above 0 seconds");
            }
            program::plan(hook).context(field)?;
        }
    }
    Ok(())
}

/// Runs the hooks of a moment, one after another, up to the first that fails.
/// `pid` is init's, as whoever runs them counts.
///
/// # Errors
/// Names the hook, and quotes the last line of what it said.
///
/// Source: runtime-spec: config.md, "POSIX-platform Hooks"; runtime.md,
/// "Lifecycle"
pub(crate) fn run(moment: Moment, state: &State, pid: i32) -> Result<()> {
    let told = told(moment, state, Some(pid));
    of_state(moment, state).try_for_each(|hook| hook.run(&told))
}

/// Runs the hooks that follow a container's end. None can undo that: what one
/// of them fails at is only a warning, for the caller to tell.
///
/// Source: runtime-spec: runtime.md, "Lifecycle", step 13
// ANCHOR: run_poststop
pub(crate) fn run_poststop(state: &State) -> Vec<anyhow::Error> {
    let told = told(Moment::Poststop, state, None);
    let hooks = of_state(Moment::Poststop, state);
    hooks.filter_map(|hook| hook.run(&told).err()).collect()
}
// ANCHOR_END: run_poststop

/// A hook, and where config.json has it.
struct Placed<'a> {
    moment: Moment,
    index: usize,
    hook: &'a Hook,
}

impl Placed<'_> {
    fn run(&self, told: &[u8]) -> Result<()> {
        let Self { moment, index, hook } = self;
        program::run(hook, told).with_context(|| {
            let (field, path) = (moment.field(), hook.path());
            format!("config.json: hooks.{field}[{index}]: {path:?}")
        })
    }
}

fn of_state(moment: Moment, state: &State) -> impl Iterator<Item = Placed<'_>> {
    let hooks = state.hooks.as_ref().map(|hooks| moment.of(hooks));
    let hooks = hooks.unwrap_or_default().iter().enumerate();
    hooks.map(move |(index, hook)| Placed { moment, index, hook })
}

fn told(moment: Moment, state: &State, pid: Option<i32>) -> Vec<u8> {
    let told = Told::of(state, moment.status(), pid);
    serde_json::to_vec(&told).expect("texts and a number always serialize")
}

/// What others are told of a container: its hooks, and the agent that its filter
/// of system calls asks.
///
/// Source: runtime-spec: runtime.md, "State"
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told<'a> {
    oci_version: &'a str,
    id: &'a str,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    bundle: &'a Path,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

// ANCHOR: told
impl<'a> Told<'a> {
    pub(crate) fn of(
        state: &'a State,
        status: Status,
        pid: Option<i32>,
    ) -> Self {
        Self {
            oci_version: &state.oci_version,
            id: &state.id,
            status: status.to_string(),
            pid,
            bundle: &state.bundle,
            annotations: &state.annotations,
        }
    }
}
// ANCHOR_END: told
