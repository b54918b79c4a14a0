//! The Kubernetes Container Runtime Interface, `runtime.v1`: messages, server traits and clients, generated
//! by build.rs from `proto/api.proto`. Read that file for the meaning of each field; it is the contract.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

tonic::include_proto!("runtime.v1");
