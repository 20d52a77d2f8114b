//! The runner behind its listener: real sockets, and functions made for the tests.

mod action;
mod drain;
mod ends;
mod functions;
mod http;
mod limits;
mod log;
mod outcomes;
mod requests;
mod server;
mod start;
