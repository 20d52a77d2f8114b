//! The gateway: terminates WebSockets, calls functions over HTTP, answers reverse push.
//!
//! It does not know what a function is: it knows an HTTP address and three events.

mod api;
#[doc(hidden)]
pub mod benchmarks;
mod calls;
mod cleanup;
mod connect;
mod connection;
mod end;
mod events;
mod frame;
pub mod gateway;
mod handshake;
mod internal;
mod journal;
mod mailbox;
mod message;
pub mod pages;
pub mod paths;
mod public;
mod push;
mod refusal;
mod register;
mod registry;
mod reload;
pub mod settings;
