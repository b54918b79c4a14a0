//! Who answers, whether it is well, and how it wants its cgroups named.

use std::sync::Arc;

use tonic::{Response, Status};

use super::verbose;
use crate::cri::{
    CgroupDriver, LinuxRuntimeConfiguration, RuntimeCondition,
    RuntimeConfigResponse, RuntimeFeatures, RuntimeHandler,
    RuntimeHandlerFeatures, RuntimeStatus, StatusRequest, StatusResponse,
    VersionResponse,
};
use crate::manager::Manager;

/// The version of the kubelet's interface that all runtimes answer; nobody has
/// changed it since 2016.
const KUBE_API_VERSION: &str = "0.1.0";

pub(super) fn version() -> Response<VersionResponse> {
    Response::new(VersionResponse {
        version: KUBE_API_VERSION.to_owned(),
        runtime_name: "conman".to_owned(),
        runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
        runtime_api_version: "v1".to_owned(),
    })
}

pub(super) fn status(
    manager: &Arc<Manager>,
    request: &StatusRequest,
) -> Result<Response<StatusResponse>, Status> {
    let info = match request.verbose {
        true => verbose(&serde_json::json!({
            "root": manager.paths.root,
            "state": manager.paths.state,
        })),
        false => Default::default(),
    };
    let handlers = manager.runtimes.names().map(handler).chain([handler("")]);
    Ok(Response::new(StatusResponse {
        status: Some(RuntimeStatus { conditions: conditions() }),
        info,
        runtime_handlers: handlers.collect(),
        features: Some(RuntimeFeatures {
            supplemental_groups_policy: true,
            ..Default::default()
        }),
    }))
}

pub(super) fn runtime_config() -> Response<RuntimeConfigResponse> {
    let driver = CgroupDriver::Cgroupfs.into();
    Response::new(RuntimeConfigResponse {
        linux: Some(LinuxRuntimeConfiguration { cgroup_driver: driver }),
    })
}

fn conditions() -> Vec<RuntimeCondition> {
    let condition =
        |kind: &str, status, reason: &str, message: &str| RuntimeCondition {
            r#type: kind.to_owned(),
            status,
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
    vec![
        condition("RuntimeReady", true, "", ""),
        condition(
            "NetworkReady",
            false,
            "LoopbackOnly",
            "a pod has a loopback device and no other, or the host's network",
        ),
    ]
}

fn handler(name: &str) -> RuntimeHandler {
    RuntimeHandler {
        name: name.to_owned(),
        features: Some(RuntimeHandlerFeatures::default()),
    }
}
