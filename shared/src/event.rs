//! The three events that functions get, one module each.
//!
//! Every value inside `websocket` is a string in all three, because the official samples
//! concatenate them (documented). Fields are only ever added.

pub mod cleanup;
pub mod register;
pub mod transmit;

pub use self::{cleanup::CleanupEvent, register::RegisterEvent, transmit::TransmitEvent};
