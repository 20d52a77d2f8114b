//! The wire contract between gateway, functions and clients: pure types and their JSON.
//!
//! "Documented" in this crate means: Tencent Cloud's public documentation of its API Gateway
//! WebSocket trigger and SCF says so, and existing function code depends on it. Those shapes are
//! only ever added to. This crate does no I/O, reads no clock and starts no task.

pub mod action;
pub mod connection_id;
pub mod data;
pub mod event;
pub mod invocation;
pub mod push;
pub mod reply;

#[cfg(test)]
mod tests;
