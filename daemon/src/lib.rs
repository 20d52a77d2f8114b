//! The parts that every binary here needs: settings, log, signals, HTTP, the ready line.
//!
//! Imports none of our crates and knows no word of our domain: it would fit any server.

pub mod access;
mod activity;
mod allocator;
pub mod authority;
pub mod body;
pub mod browser;
pub mod check;
pub mod children;
pub mod credentials;
pub mod files;
pub mod health;
pub mod http;
pub mod listen;
pub mod offload;
pub mod pace;
pub mod path;
pub mod peer;
pub mod process;
pub mod proxies;
pub mod ready;
pub mod reload;
pub mod router;
pub mod secret_files;
pub mod serve;
pub mod settings;
pub mod signals;
pub mod stream;
pub mod telemetry;
pub mod time;
pub mod tls;

#[cfg(test)]
mod testing;
