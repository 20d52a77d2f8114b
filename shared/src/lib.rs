//! The wire contract between gateway, functions and clients: pure types and their JSON.
//!
//! "Documented" in this crate means: Tencent Cloud's public documentation of its API Gateway
//! WebSocket trigger, or of SCF, says so, and existing function code depends on it. "Ours" means:
//! that documentation says nothing, and this project decided. We add fields to these shapes and
//! never change or remove one. `docs/functions.md` describes all of them for users.
//!
//! This crate does no I/O, reads no clock and starts no task.

pub mod action;
pub mod api_id;
pub mod connection_id;
pub mod data;
pub mod event;
pub mod invocation;
pub mod json_text;
pub mod push;
pub mod reply;

#[cfg(test)]
mod tests;
