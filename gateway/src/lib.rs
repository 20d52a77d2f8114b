//! The gateway: terminates WebSockets, calls functions over HTTP, answers reverse push.
//!
//! It does not know what a function is: it knows an HTTP address and three events.

pub mod gateway;

pub mod listen;
mod reload;

mod opening;

mod cleanup;
mod connection;
mod push;

mod dialect;

mod identity;

mod registry;

mod api;
mod call;
pub mod settings;
mod token_keys;

#[doc(hidden)]
pub mod benchmarks;
