//! `process.execCPUAffinity`: the processors on which `exec` begins and ends. A
//! machine may keep some free of all that is not the container's own, also for
//! the moment in which a process is on its way in.

use anyhow::{Context, Result};
use namespaces::cgroup::NumberList;
use namespaces::scheduling::set_affinity;
use oci_spec::runtime::Process;

/// Not for a container's init: runtime-spec says so.
#[derive(Debug)]
pub(crate) struct Affinity {
    initial: Option<NumberList>,
    last: Option<NumberList>,
}

impl Affinity {
    /// Translates it.
    ///
    /// # Errors
    /// Names the field: not a list of processors.
    ///
    /// Source: runtime-spec: config.md, "Linux Process"
    pub(crate) fn plan(process: &Process) -> Result<Self> {
        let config = process.exec_cpu_affinity().as_ref();
        let list = |name: &str, text: Option<&String>| {
            let text = text.filter(|text| !text.is_empty());
            text.map(|text| text.parse::<NumberList>())
                .transpose()
                .with_context(|| format!("{FIELD}.{name}"))
        };
        let initial = config.and_then(|config| config.initial().as_ref());
        let last =
            config.and_then(|config| config.cpu_affinity_final().as_ref());
        Ok(Self {
            initial: list("initial", initial)?,
            last: list("final", last)?,
        })
    }

    /// Ties the runtime itself, whose child begins where it is.
    pub(crate) fn begin(&self) -> Result<()> {
        tie("initial", self.initial.as_ref())
    }

    /// Ties the process, once it is in the container's cgroup: that has just put
    /// it on all processors of its own.
    pub(crate) fn end(&self) -> Result<()> {
        tie("final", self.last.as_ref())
    }
}

const FIELD: &str = "config.json: process.execCPUAffinity";

fn tie(name: &str, cpus: Option<&NumberList>) -> Result<()> {
    cpus.map_or(Ok(()), set_affinity).with_context(|| format!("{FIELD}.{name}"))
}
