//! `update`: other limits for a container that is there.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::lifecycle::{Verb, permit};
use crate::{config, resources};
use anyhow::{Context, Result};
use namespaces::InCall;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Update {
    /// Limits as JSON, as `linux.resources` in config.json; - is standard input
    #[arg(long, short, value_name = "FILE")]
    resources: Option<PathBuf>,
    /// Share of the disks, 10 to 1000
    #[arg(long, value_name = "WEIGHT")]
    blkio_weight: Option<u16>,
    /// Period of the quota, in microseconds
    #[arg(long, value_name = "US")]
    cpu_period: Option<u64>,
    /// Processor time in each period, in microseconds; -1: no limit
    #[arg(long, value_name = "US", allow_hyphen_values = true)]
    cpu_quota: Option<i64>,
    /// Microseconds that may be saved up
    #[arg(long, value_name = "US")]
    cpu_burst: Option<u64>,
    /// Share of the processor, 2 to 262144
    #[arg(long, value_name = "SHARES")]
    cpu_share: Option<u64>,
    /// 1: run only when nobody else wants to
    #[arg(long, value_name = "0|1")]
    cpu_idle: Option<i64>,
    /// Period of the real-time quota, in microseconds
    #[arg(long, value_name = "US")]
    cpu_rt_period: Option<u64>,
    /// Real time in each such period, in microseconds
    #[arg(long, value_name = "US")]
    cpu_rt_runtime: Option<i64>,
    /// Processors to run on: 0-3,7
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,
    /// Memory nodes to allocate on
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,
    /// Memory, in bytes; -1: no limit
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    memory: Option<i64>,
    /// Memory that is left to it when memory gets short, in bytes
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    memory_reservation: Option<i64>,
    /// Memory and swap together, in bytes; -1: no limit
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    memory_swap: Option<i64>,
    /// Processes and threads; -1: no limit
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pids_limit: Option<i64>,
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Update {
    /// Writes the limits into the container's cgroup.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        let container =
            Container::open(&global.root()?, &Id::parse(&self.id)?)?;
        permit(Verb::Update, container.status())?;
        let resources = match &self.resources {
            Some(file) => config::parse_resources(&read(file)?),
            None => {
                config::parse_resources(&self.json().to_string().into_bytes())
            }
        };
        let (resources, cgroup) = (resources?, container.cgroup()?);
        let limits = match cgroup.cpu_quota()? {
            Some(in_force) => resources::update(&resources, in_force)?,
            None => resources::limits(&resources)?,
        };
        cgroup.set(&limits)
    }

    /// Puts the options into the words of config.json. `null` is nothing.
    fn json(&self) -> Value {
        let pids = self.pids_limit.map(|limit| json!({"limit": limit}));
        json!({
            "blockIO": {"weight": self.blkio_weight},
            "cpu": {
                "period": self.cpu_period, "quota": self.cpu_quota,
                "burst": self.cpu_burst, "shares": self.cpu_share,
                "idle": self.cpu_idle,
                "realtimePeriod": self.cpu_rt_period,
                "realtimeRuntime": self.cpu_rt_runtime,
                "cpus": self.cpuset_cpus, "mems": self.cpuset_mems,
            },
            "memory": {
                "limit": self.memory, "swap": self.memory_swap,
                "reservation": self.memory_reservation,
            },
            "pids": pids,
        })
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut text = Vec::new();
        stdin().read_to_end(&mut text).in_call(|| "read(stdin)".into())?;
        return Ok(text);
    }
    fs::read(file).in_call(|| format!("read({file:?})")).context("--resources")
}
