//! The runner behind its door: real sockets, functions that do what the tests tell them.

mod action;
mod drain;
mod functions;
mod http;
mod limits;
mod log;
mod outcomes;
mod requests;
mod server;
mod start;
