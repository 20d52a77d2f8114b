//! The functions in Rust: register, transmit and cleanup of the chat, and echo.
//!
//! A function here is what it is in any other language: it gets an event, answers JSON, and
//! reaches clients by reverse push. This crate does not know who calls it: it opens no port,
//! starts no task and reads no environment but the one it is given.

pub mod catalog;
pub mod environment;
pub mod function;

mod cleanup;
mod echo;
mod event;
mod register;
mod transmit;

mod push_client;
mod roster;

#[cfg(test)]
mod testing;

pub use self::{
    catalog::Catalog,
    environment::Environment,
    function::{BoxFuture, Context, Function, FunctionError, Start, StartError},
};
