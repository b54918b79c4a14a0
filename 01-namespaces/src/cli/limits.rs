//! Options of isolate(1) that limit what the command may use.

use super::amount::{
    count, io_max, list, memory, processors, size_or_zero, weight,
};
use clap::Args;
use namespaces::cgroup::{
    CpuQuota, CpuWeight, IoLimit, Limit, Limits, NumberList,
};

/// How much the command may use; any of these makes a cgroup.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitOptions {
    /// Memory limit in bytes, or with K, M, G: above it, the kernel kills
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    #[arg(allow_hyphen_values = true)]
    memory: Option<u64>,
    /// Memory above which the command is slowed down, not killed (cgroup v2)
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    #[arg(allow_hyphen_values = true)]
    memory_high: Option<u64>,
    /// Limit of swap, may be 0 (on cgroup v1 together with --memory)
    #[arg(long, value_name = "SIZE", value_parser = size_or_zero)]
    #[arg(allow_hyphen_values = true)]
    swap: Option<u64>,
    /// Limit of processes and threads
    #[arg(long, value_name = "N", value_parser = count)]
    #[arg(allow_hyphen_values = true)]
    pids: Option<u64>,
    /// Processor time, in processors: 0.5 is half of one
    #[arg(long, value_name = "N", value_parser = processors)]
    #[arg(allow_hyphen_values = true)]
    cpus: Option<CpuQuota>,
    /// Share of a busy processor, 1 to 10000; others have 100
    #[arg(long, value_name = "N", value_parser = weight)]
    #[arg(allow_hyphen_values = true)]
    cpu_weight: Option<u64>,
    /// Processors to run on, such as 0-3,7
    #[arg(long, value_name = "LIST", value_parser = list)]
    #[arg(allow_hyphen_values = true)]
    cpuset: Option<NumberList>,
    /// Limits of a disk, such as /dev/vda:rbps=1M,wiops=100; may be repeated
    #[arg(long, value_name = "DISK:KEY=N,..", value_parser = io_max)]
    io_max: Vec<IoLimit>,
    /// Tell at the end what the command has used
    #[arg(long)]
    pub(crate) stats: bool,
}

impl LimitOptions {
    /// Gives the limits, if a cgroup was asked for.
    pub(crate) fn limits(&self) -> Option<Limits> {
        let limits = Limits {
            memory: self.memory.map(Limit::At),
            memory_high: self.memory_high.map(Limit::At),
            swap: self.swap.map(Limit::At),
            pids: self.pids.map(Limit::At),
            cpu_quota: self.cpus,
            cpu_weight: self.cpu_weight.map(CpuWeight::Weight),
            cpus: self.cpuset.clone(),
            io: self.io_max.clone(),
            ..Limits::default()
        };
        (self.stats || limits != Limits::default()).then_some(limits)
    }
}
