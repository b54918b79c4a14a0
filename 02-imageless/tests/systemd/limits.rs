//! The limits of `in_a_scope`, as systemd and the kernel call them: one table for
//! each version of cgroups.

use super::machine::Machine;
use super::trees::Version;
use serde_json::{Value, json};

/// A limit: systemd's property and value, and the kernel's tree, file and value.
pub(crate) struct Told([&'static str; 5]);

const V1: [Told; 4] = [
    Told([
        "MemoryLimit",
        "67108864",
        "memory",
        "memory.limit_in_bytes",
        "67108864",
    ]),
    Told(["TasksMax", "33", "pids", "pids.max", "33"]),
    Told(["CPUShares", "262144", "cpu", "cpu.shares", "262144"]),
    Told(["CPUQuotaPerSecUSec", "500ms", "cpu", "cpu.cfs_quota_us", "50000"]),
];

const V2: [Told; 4] = [
    Told(["MemoryMax", "67108864", "memory", "memory.max", "67108864"]),
    Told(["TasksMax", "33", "pids", "pids.max", "33"]),
    Told(["CPUWeight", "10000", "cpu", "cpu.weight", "10000"]),
    Told(["CPUQuotaPerSecUSec", "500ms", "cpu", "cpu.max", "50000 100000"]),
];

/// What v1 has not, or systemd has no word for there, and what a configuration
/// may say by the files of v2 themselves.
pub(crate) fn only_v2() -> Value {
    json!({
        "memory": {"limit": 67_108_864, "swap": 71_303_168, "reservation": 4096},
        "cpu": {"cpus": "0", "mems": "0"},
        "hugepageLimits": [{"pageSize": "2MB", "limit": 0}],
        "unified": {
            "memory.high": "33554432", "memory.min": "8192", "pids.max": "44"
        },
    })
}

pub(crate) const ONLY_V2: [Told; 7] = [
    Told(["MemorySwapMax", "4194304", "memory", "memory.swap.max", "4194304"]),
    Told(["MemoryLow", "4096", "memory", "memory.low", "4096"]),
    Told(["AllowedCPUs", "0", "cpuset", "cpuset.cpus", "0"]),
    Told(["AllowedMemoryNodes", "0", "cpuset", "cpuset.mems", "0"]),
    Told(["MemoryHigh", "33554432", "memory", "memory.high", "33554432"]),
    Told(["MemoryMin", "8192", "memory", "memory.min", "8192"]),
    Told(["TasksMax", "44", "pids", "pids.max", "44"]),
];

pub(crate) const IDLE: Told =
    Told(["CPUWeight", "idle", "cpu", "cpu.idle", "1"]);

impl Told {
    /// Those of this machine.
    pub(crate) fn here() -> [Self; 4] {
        match Version::here() {
            Version::V1 => V1,
            Version::V2 => V2,
        }
    }

    /// The same after `update --pids-limit 44`.
    pub(crate) fn here_after_the_update() -> [Self; 4] {
        let mut all = Self::here();
        all[1] = Self(["TasksMax", "44", "pids", "pids.max", "44"]);
        all
    }

    /// Asks both.
    pub(crate) fn check(&self, machine: &Machine, unit: &str, path: &str) {
        let Self([property, value, tree, file, kernel]) = self;
        assert_eq!(machine.property(unit, property), *value, "{property}");
        let file = format!("{path}/{file}");
        assert_eq!(machine.kernel(tree, &file), *kernel, "{file}");
    }
}
