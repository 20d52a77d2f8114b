//! An object store that speaks COS, Tencent Cloud's Object Storage, as its client libraries use it.
//!
//! Knows nothing of gateways, functions and connections. What it does not serve it refuses, and
//! says so; it takes no request for something else than it says.

pub mod settings;

mod listen;

mod request;
mod store;
mod xml;

mod refusal;

pub use self::{
    listen::{Service, serve, serve_with_changes},
    request::operations,
    settings::{Credential, Settings},
    store::OpenError,
};
