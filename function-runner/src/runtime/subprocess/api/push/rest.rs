//! What a child still sends after an answer that came before the end of its push: it is read and
//! dropped, so that the child gets its answer. The system resets a connection that is closed while
//! bytes are unread.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{
    sync::oneshot::{Receiver, error::TryRecvError},
    time::timeout,
};
use tokio_util::task::TaskTracker;

use crate::push::BodyEnd;

/// The rest is read for this long, until the child sends nothing for so long, and so much of it.
const TIMEOUT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(1);
const BYTES_MAX: usize = 64 << 20;

/// Drops what is left of the body of a push, in a task of `tasks`, if `ended` says that something
/// is, or will say so.
pub(super) fn drop_later(mut ended: Receiver<BodyEnd>, tasks: &TaskTracker) {
    match ended.try_recv() {
        Ok(BodyEnd::Whole | BodyEnd::Broken) | Err(TryRecvError::Closed) => {}
        Ok(BodyEnd::Left(rest)) => drop(tasks.spawn(drop_all(rest))),
        Err(TryRecvError::Empty) => drop(tasks.spawn(async move {
            // The gateway may still read.
            if let Ok(Ok(BodyEnd::Left(rest))) = timeout(TIMEOUT, ended).await {
                drop_all(rest).await;
            }
        })),
    }
}

/// Reads what a child still sends, within the limits.
pub(super) async fn drop_all(mut body: Incoming) {
    let mut bytes = 0;
    let reading = async {
        while let Ok(Some(Ok(frame))) = timeout(SILENCE, body.frame()).await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > BYTES_MAX {
                return;
            }
        }
    };
    let _ = timeout(TIMEOUT, reading).await;
}
