//! What is left in a mailbox when the caller of a push leaves, and how a batch is read.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{net::Ipv4Addr, path::Path, sync::mpsc};

use futures_util::FutureExt;

use super::*;
use crate::{
    api::Apis,
    registry::{ConnectionInfo, Mailbox, Message},
    settings::Settings,
};

/// What a push to an API reaches, and a pusher that takes ten ids.
fn target_and_pusher(registry: Registry) -> (PushTarget, Pusher) {
    let text = r#"
        push.max_ids = 10
        api = [{ id = "a", path = "/a", transmit = "echo" }]
    "#;
    let settings = Settings::parse(Path::new(""), text, &Default::default()).unwrap();
    let apis = Apis::new(settings.apis, settings.runner);
    let pusher = Pusher::new(registry, PushBodies::new(&settings.push), settings.push);
    (apis.by_push_id("a").unwrap(), pusher)
}

/// A batch of `count` items with this body.
fn batch_of(count: usize, body: &str) -> Bytes {
    format!("id - {}\n{body}\n", body.len()).repeat(count).into()
}

/// Large work is done one at a time, beside the threads that serve connections.
#[tokio::test]
async fn a_large_batch_is_read_off_the_thread_however_small_its_pushes_are() {
    let (target, pusher) = target_and_pusher(Registry::default());
    let closing = r#"{"websocket":{"action":"closing","secConnectionID":"nobody"}}"#;
    let (go, wait) = mpsc::channel();
    let mut other = Box::pin(offload(1 << 20, move || wait.recv()));
    assert!((&mut other).now_or_never().is_none());
    let small = pusher.read_batch(&target, batch_of(100, closing)).now_or_never();
    assert_eq!(small.unwrap().unwrap().len(), 100);
    let nested = "[".repeat(10_000);
    let large = [(16_000, closing), (60, &nested)];
    let mut reading = large.map(|(count, body)| {
        let read = Box::pin(pusher.read_batch(&target, batch_of(count, body)));
        (count, read)
    });
    for (count, read) in &mut reading {
        assert!(read.now_or_never().is_none(), "{count} pushes were read on this thread");
    }
    go.send(()).unwrap();
    other.await.unwrap();
    for (count, read) in reading {
        assert_eq!(read.await.unwrap().len(), count);
    }
}

#[tokio::test]
async fn the_pushes_of_a_batch_share_the_ids_that_they_may_have() {
    let (target, pusher) = target_and_pusher(Registry::default());
    let body = r#"{"websocket":{"action":"closing","secConnectionIDs":["a","b","c","d"]}}"#;
    let pushes = pusher.read_batch(&target, batch_of(4, body)).await.unwrap();
    let read: Vec<_> = pushes.iter().map(|push| push.asked.is_ok()).collect();
    assert_eq!(read, [true, true, false, false]);
    assert!(pushes.iter().all(|push| push.bytes == body.len()));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_takes_back_what_the_queue_has_no_room_for() {
    let registry = Registry::default();
    let (target, pusher) = target_and_pusher(registry.clone());
    let id = ConnectionId::from_bytes([7; 19]);
    let info = ConnectionInfo::new(id, target.api(), "/a", Ipv4Addr::LOCALHOST.into(), None);
    // Room for three empty messages.
    let entry = registry.enter(info, Arc::clone(target.api()), Mailbox::new(200)).unwrap();
    entry.handle.mailbox.open();
    let message = || (vec![id.to_string()], Ok(Effect::Send(Message::Text("".into()))));
    let began = Instant::now();
    let terms =
        Terms { began, deadline: began + pusher.settings.timeout, overflow: &pusher.overflow };
    let begun = pusher.begin_each(&target, vec![message(), message()], terms).await;
    let more = pusher.begin_each(&target, vec![message(), message(), message()], terms).await;
    assert!(begun.iter().chain(&more).all(|(_, begun)| matches!(begun, Ok(Some(_)))));
    drop(more);
    assert_eq!(entry.handle.mailbox.take(1 << 10, began).letters.len(), 3);
    assert!(settle_each(begun, began).await.iter().all(|(_, error)| *error == NotPushed::Gone));
}
