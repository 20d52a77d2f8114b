//! The content of an object as the body of an answer. It is read piece by piece, as the client
//! takes it.

use std::{error::Error, io, ops::Range, sync::Arc};

use bytes::Bytes;
use daemon::http::Body;
use futures_util::stream::try_unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tracing::error;

use super::refused::chain;
use crate::store::HeldObject;

/// The bytes of `range`. If they cannot be read, the body breaks off.
pub(super) fn stream(object: HeldObject, range: Range<u64>) -> Body {
    let object = Arc::new(object);
    let pieces = try_unfold(range, move |range| {
        let object = Arc::clone(&object);
        async move {
            if range.is_empty() {
                return Ok(None);
            }
            let length_max = object.piece_bytes().min(range.end - range.start);
            let length_max = usize::try_from(length_max).unwrap_or(usize::MAX);
            let piece = object.read(range.start, length_max).await.map_err(|refusal| {
                let source = refusal.source.as_deref();
                let cause = source.map_or_else(|| refusal.to_string(), |error| chain(error));
                error!(error = cause, "an object could not be read to its end");
                Box::<dyn Error + Send + Sync>::from(io::Error::other("the object is unreadable"))
            })?;
            let rest = range.start + piece.len() as u64..range.end;
            Ok(Some((Frame::data(Bytes::from(piece)), rest)))
        }
    });
    StreamBody::new(pieces).boxed_unsync()
}
