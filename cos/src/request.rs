//! What a request asks for: where, what, and who signed it. Pure: reads no clock and no store.

mod authorization;
mod copy_source;
mod endpoint;
mod operation;
mod percent;
mod query;
mod signature;

#[cfg(test)]
mod tests;

pub use self::operation::operations;
pub(crate) use self::{
    authorization::Authorization,
    copy_source::CopySource,
    endpoint::{Endpoint, check_key, is_bucket_name, is_cloud_name},
    operation::{ListParts, ListQuery, ListUploads, Operation},
    percent::encode,
    query::Query,
    signature::SignedRequest,
};
