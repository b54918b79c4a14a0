//! `linux.memoryPolicy`: on a machine whose processors have memory of their own
//! each, from which of these nodes a container's pages come.

use anyhow::{Context, Result};
use namespaces::cgroup::NumberList;
use namespaces::scheduling::set_memory_policy;
use oci_spec::runtime::{
    LinuxMemoryPolicy, MemoryPolicyFlagType, MemoryPolicyModeType,
};
use serde::{Deserialize, Serialize};

/// As set_mempolicy(2) takes it; kept with the container, for `exec`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MemoryPolicy {
    mode: i32,
    nodes: String,
}

const FIELD: &str = "config.json: linux.memoryPolicy";

type Row<T> = (T, &'static str, i32);

use MemoryPolicyModeType::*;
/// Source: set_mempolicy(2), linux/mempolicy.h
#[rustfmt::skip]
const MODES: [Row<MemoryPolicyModeType>; 7] = [
    (MpolDefault,            "MPOL_DEFAULT",             0),
    (MpolPreferred,          "MPOL_PREFERRED",           1),
    (MpolBind,               "MPOL_BIND",                2),
    (MpolInterleave,         "MPOL_INTERLEAVE",          3),
    (MpolLocal,              "MPOL_LOCAL",               4),
    (MpolPreferredMany,      "MPOL_PREFERRED_MANY",      5),
    (MpolWeightedInterleave, "MPOL_WEIGHTED_INTERLEAVE", 6),
];

use MemoryPolicyFlagType::*;
#[rustfmt::skip]
const FLAGS: [Row<MemoryPolicyFlagType>; 3] = [
    (MpolFNumaBalancing, "MPOL_F_NUMA_BALANCING", 1 << 13),
    (MpolFRelativeNodes, "MPOL_F_RELATIVE_NODES", 1 << 14),
    (MpolFStaticNodes,   "MPOL_F_STATIC_NODES",   1 << 15),
];

/// The words that a configuration can use, for `features`.
pub(crate) fn words() -> (Vec<&'static str>, Vec<&'static str>) {
    let mode = |(_, word, _): &Row<_>| *word;
    let flag = |(_, word, _): &Row<_>| *word;
    (MODES.iter().map(mode).collect(), FLAGS.iter().map(flag).collect())
}

impl MemoryPolicy {
    /// Translates it.
    ///
    /// # Errors
    /// Names the field: not a list of nodes.
    ///
    /// Source: runtime-spec: config-linux.md, "Memory policy"
    pub(crate) fn plan(config: &LinuxMemoryPolicy) -> Result<Self> {
        let nodes = config.nodes().clone().unwrap_or_default();
        let list: Result<NumberList, _> = nodes.parse();
        list.with_context(|| format!("{FIELD}.nodes"))?;
        let flags = config.flags().iter().flatten();
        let mode = number(&MODES, config.mode());
        let mode = flags.fold(mode, |all, flag| all | number(&FLAGS, *flag));
        Ok(Self { mode, nodes })
    }

    /// Sets it for this process and all that come from it. Runs in the process,
    /// in its cgroup, whose memory nodes are the frame.
    ///
    /// # Errors
    /// See [`set_memory_policy`].
    pub(crate) fn apply(&self) -> Result<()> {
        set_memory_policy(self.mode, &self.nodes.parse()?).context(FIELD)
    }
}

fn number<T: Copy + PartialEq>(rows: &[Row<T>], wanted: T) -> i32 {
    let row = rows.iter().find(|(word, ..)| *word == wanted);
    row.expect("the table has every word of the type").2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_specification_is_in_the_table() {
        let (modes, flags) = words();
        for mode in modes {
            let json = serde_json::json!({"mode": mode, "flags": flags});
            let config = serde_json::from_value(json).unwrap();
            let flags = MemoryPolicy::plan(&config).unwrap().mode & !7;
            assert_eq!(flags, 0b111 << 13, "{mode}");
        }
    }

    #[test]
    fn what_is_no_list_of_nodes_is_named() {
        let json = r#"{"mode":"MPOL_BIND","nodes":"0-"}"#;
        let config = serde_json::from_str(json).unwrap();
        let error = format!("{:#}", MemoryPolicy::plan(&config).unwrap_err());
        assert_eq!(error, format!("{FIELD}.nodes: not a list such as 0-3,7"));
    }
}
