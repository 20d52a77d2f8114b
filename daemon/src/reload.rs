//! Settings that are read again while the process runs: at SIGHUP, and when the file has changed or
//! something in the folders that it names.
//!
//! Only settings without errors reach the service. The service decides what to do with them.

mod changes;
mod code;
mod data;
mod draft;
mod follow;
mod places;
mod secrets;
mod seen;
mod triggers;
mod watched;

pub use self::{
    changes::changes_in,
    follow::{FromFile, SettingsFile, follow},
    places::{Places, walk},
    triggers::{ReloadTriggers, Trigger},
};
