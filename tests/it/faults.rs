//! Fault tests: processes that die, networks that go away, functions that misbehave, full disks.
//!
//! The oracle is outside: scripted functions count what was registered and what was cleaned up.
//! Numbers are bounded, and where something is left to chance the seed is printed.

#![allow(clippy::print_stderr, reason = "seeds and figures are for whoever runs the tests")]

mod clients;
mod clock;
mod crash;
mod crowd;
mod full_disk;
mod functions;
mod given_up;
mod hanging_disk;
mod late_calls;
mod life;
mod mass_drop;
mod runner_restart;
mod shutdown;
mod stalled_readers;
