//! The functions in Rust: register, transmit and cleanup of the chat, and echo.
//!
//! These functions do what functions in any other language do: they are called with an event,
//! return JSON, and reach clients by reverse push. This crate does not know its caller. It opens
//! no port, starts no task, and does not read the environment of the process: each function is
//! given its own [`Environment`].

pub mod catalog;
pub mod environment;
pub mod function;
pub mod push_client;
pub mod push_credential;
pub mod push_transport;
pub mod start_error;

mod cleanup;
mod echo;
mod event;
mod register;
mod transmit;

mod roster;

#[cfg(test)]
mod testing;

pub use self::{
    catalog::{Catalog, Starter},
    environment::Environment,
    function::{BoxFuture, Check, Context, Function, FunctionError, Start},
    push_client::{FORBIDDEN, PushClient, PushFailed},
    push_credential::PushCredential,
    push_transport::PushTransport,
    start_error::StartError,
};
