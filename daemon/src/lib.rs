//! What every binary here does: read settings, log, obey signals, serve HTTP, say that it is ready.
//!
//! Knows no domain word and imports none of our crates: whatever it does would fit any server.

mod allocator;
pub mod check;
pub mod files;
pub mod health;
pub mod http;
pub mod process;
pub mod ready;
pub mod reload;
pub mod router;
pub mod serve;
pub mod settings;
pub mod signals;
pub mod stream;
pub mod telemetry;

#[cfg(test)]
mod testing;
