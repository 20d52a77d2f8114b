//! Runs functions: an HTTP invocation comes in, what the function returned goes out.
//!
//! Has never heard of a WebSocket, a frame or a close code: an event is JSON that it hands on
//! unread. Answers as Tencent's SCF does, so whatever speaks to that can speak to this.

pub mod runner;
pub mod settings;

mod routes;

mod action;
mod invoke;
mod logs;
mod request_id;

mod event;
mod fault;
mod function;
mod invocation;
mod lines;
mod recent;
mod runtime;

#[cfg(test)]
mod tests;

pub use self::{runner::Runner, settings::Settings};
