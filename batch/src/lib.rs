//! Many small exchanges in one HTTP request, between two of Longhold's services.
//!
//! Under load most of the cost of an exchange is the cost of its HTTP request: headers, system
//! calls, tasks. So exchanges that start while a batch is in flight are collected and sent as the
//! next batch. The higher the load, the more exchanges share one request. Without load no exchange
//! waits.
//!
//! A server offers batches with the header [`OFFER`], and batches are sent to no other server. A
//! response that is not one to a batch ends the offer: another server is at the address. The
//! responses of a batch are streamed, each as soon as it is ready, so a slow exchange does not
//! delay the others.

pub mod client;
pub mod server;
pub mod wire;

#[cfg(test)]
mod tests;

use http::{HeaderName, HeaderValue};

pub use self::{
    client::{Batcher, LoneExchange, NoAnswer},
    wire::{Item, ItemResponse},
};

/// The response header by which a server offers to take batches at the same URL. The value is the
/// version of the batch format.
pub const OFFER: HeaderName = HeaderName::from_static("x-longhold-batch");
/// The only version of the batch format.
pub const VERSION: HeaderValue = HeaderValue::from_static("1");
/// The content type of a batch and of its response.
pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.longhold.batch");
