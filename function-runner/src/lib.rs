//! Runs functions: an HTTP invocation comes in, what the function returned goes out.
//!
//! Has never heard of a WebSocket, a frame or a close code: an event is JSON that it hands on
//! unread. Answers as Tencent's SCF does, so whatever speaks to that can speak to this.

pub mod settings;

mod listen;

mod runner;
mod runtime;

mod invocation;

#[cfg(test)]
mod tests;

pub use self::{
    listen::{serve, serve_with_changes},
    runner::Runner,
    settings::Settings,
};
