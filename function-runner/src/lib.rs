//! Runs functions: it receives invocations over HTTP and answers with the replies of functions.
//!
//! It does not know WebSockets, frames or close codes: an event is JSON that it passes on unread.
//! It answers as Tencent's SCF does, so clients of SCF can use it.

pub mod settings;

mod listen;

mod runner;
mod runtime;

mod push;

mod cloud;

mod invocation;

#[cfg(test)]
mod tests;

pub use self::{
    listen::{paths, serve, serve_with_changes},
    runner::Runner,
    runtime::runtime_api_paths,
    settings::Settings,
};
