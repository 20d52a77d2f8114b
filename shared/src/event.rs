//! The three events that functions are called with, one module each.
//!
//! Every value inside `websocket` is a string in all three events, because Tencent's samples
//! concatenate these values (documented).

pub mod cleanup;
pub mod register;
pub mod transmit;

pub use self::{cleanup::CleanupEvent, register::RegisterEvent, transmit::TransmitEvent};
