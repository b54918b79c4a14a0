//! `linux.resources.network` and `rdma`: how packets are marked, and what may be
//! used of network cards that read and write memory by themselves.

use anyhow::{Result, bail};
use namespaces::cgroup::{Limits, NetPriority, RdmaLimit};
use oci_spec::runtime::{LinuxNetwork, LinuxRdma, LinuxResources};

/// Translates both.
///
/// # Errors
/// Names the field: an entry that limits nothing.
///
/// Source: runtime-spec: config-linux.md, "Network", "RDMA"
pub(super) fn set(
    resources: &LinuxResources,
    limits: &mut Limits,
) -> Result<()> {
    if let Some(network) = resources.network() {
        set_network(network, limits);
    }
    for (device, config) in resources.rdma().iter().flatten() {
        limits.rdma.push(rdma(device, config)?);
    }
    // Out of a hash map: an error should be the same one each time.
    limits.rdma.sort_by(|a, b| a.device.cmp(&b.device));
    Ok(())
}

fn set_network(network: &LinuxNetwork, limits: &mut Limits) {
    limits.net_class = network.class_id().filter(|class| *class != 0);
    let priorities = network.priorities().iter().flatten();
    limits.net_priorities = priorities
        .map(|one| NetPriority {
            device: one.name().clone(),
            priority: one.priority(),
        })
        .collect();
}

fn rdma(device: &str, config: &LinuxRdma) -> Result<RdmaLimit> {
    let (handles, objects) = (config.hca_handles(), config.hca_objects());
    if handles.or(objects).is_none() {
        bail!(
            "config.json: linux.resources.rdma[{device:?}]: hcaHandles or \
             hcaObjects is missing"
        );
    }
    Ok(RdmaLimit { device: device.to_owned(), handles, objects })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(json: &str) -> Result<Limits> {
        let mut limits = Limits::default();
        set(&serde_json::from_str(json).unwrap(), &mut limits)?;
        Ok(limits)
    }

    #[test]
    fn a_class_of_zero_is_none_and_priorities_keep_their_order() {
        let json = r#"{"network":{"classID":0,"priorities":
            [{"name":"lo","priority":2},{"name":"eth0","priority":1}]}}"#;
        let limits = translated(json).unwrap();
        assert_eq!(limits.net_class, None);
        let lines = limits.net_priorities.iter().map(ToString::to_string);
        assert_eq!(lines.collect::<Vec<_>>(), ["lo 2", "eth0 1"]);
    }

    #[test]
    fn an_rdma_device_without_a_limit_is_named() {
        let error = translated(r#"{"rdma":{"mlx5":{}}}"#).unwrap_err();
        let start = r#"config.json: linux.resources.rdma["mlx5"]: hcaHandles"#;
        assert!(error.to_string().starts_with(start), "{error}");
    }
}
