//! Fault tests: processes that are killed, networks that break, functions that misbehave, full
//! disks.
//!
//! Scripted functions outside of the gateway count the registered and the cleaned-up connections.
//! Tests with random input print their seed.

#![allow(clippy::print_stderr, reason = "seeds and figures are for the person who runs the tests")]

mod another_server;
mod clients;
mod clock;
mod crash;
mod crowd;
mod damage;
mod due;
mod files;
mod full_disk;
mod functions;
mod given_up;
mod hanging_disk;
mod hung_function;
mod journal_access;
mod late_calls;
mod mass_drop;
mod runner_restart;
mod runner_times;
mod runs;
mod shutdown;
mod stalled_readers;
mod stopped_together;
mod taken_folder;
mod unread_answers;
