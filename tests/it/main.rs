//! Integration tests of real services, over sockets, HTTP and child processes.
//!
//! There is a module for each feature, and `support` for all of them. Every test of a gateway ends
//! with [`support::world::World::finish`], which checks the invariants that hold in every test.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

mod access;
mod architecture;
mod back_pressure;
mod batch;
mod browser;
mod bursts;
mod chat;
mod cleanup;
mod closing;
mod cloud;
mod conformance;
mod connect;
mod cos;
mod documents;
mod drain;
mod echo_load;
mod failed_calls;
mod faults;
mod frames;
mod identity;
mod internal_tls;
mod keepalive;
mod listeners;
mod malformed;
mod order;
mod pages;
mod paths;
mod process;
mod proxies;
mod push;
mod reload;
mod requests;
mod s3_roster;
mod same_user;
mod settings_document;
mod skips;
mod start;
mod subprocess;
mod subprotocol;
mod tls;
mod transmit;
mod up;
