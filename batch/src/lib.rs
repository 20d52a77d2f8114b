//! Many small exchanges in one HTTP request, between two services of ours.
//!
//! Under load the price of an exchange is that of its HTTP request: headers, system calls, tasks.
//! While a request is on its way, what comes next waits and travels together with the next one; so
//! the busier it is, the more of them share that price, and without load nothing waits.
//!
//! A server says with [`OFFER`] that it takes batches; nobody else is ever sent one. Each exchange
//! has an answer of its own, in a stream: a slow one holds up no other.

pub mod client;
pub mod server;
pub mod wire;

#[cfg(test)]
mod tests;

use http::{HeaderName, HeaderValue};

pub use self::{
    client::{Batcher, NoAnswer},
    wire::{Answer, Item},
};

/// The header of an answer whose server takes batches at the same URL. Its value is the version
/// of [`CONTENT_TYPE`].
pub const OFFER: HeaderName = HeaderName::from_static("x-longhold-batch");
/// The one version there is.
pub const VERSION: HeaderValue = HeaderValue::from_static("1");
/// The content type of a batch, and of the answer to one.
pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.longhold.batch");
