//! Integration tests over the public doors of real services: sockets, HTTP, child processes.
//!
//! Features are modules; `support` has what they share. Every test of a gateway ends with the
//! standing invariants of [`support::world::World::finish`].

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

mod architecture;
mod back_pressure;
mod batch;
mod browser;
mod chat;
mod cleanup;
mod closing;
mod conformance;
mod connect;
mod drain;
mod echo_load;
mod faults;
mod frames;
mod keepalive;
mod malformed;
mod order;
mod paths;
mod process;
mod push;
mod reload;
mod s3_roster;
mod subprocess;
mod subprotocol;
mod transmit;
