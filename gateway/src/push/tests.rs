//! What is left in a mailbox when the caller of a push leaves.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{net::Ipv4Addr, path::Path};

use super::*;
use crate::{
    api::Apis,
    registry::{ConnectionInfo, Mailbox, Message},
    settings::Settings,
};

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_takes_back_what_the_queue_has_no_room_for() {
    let text = r#"api = [{ id = "a", path = "/a", transmit = "echo" }]"#;
    let settings = Settings::parse(Path::new(""), text, &Default::default()).unwrap();
    let apis = Apis::new(settings.apis, settings.runner);
    let (api, registry) = (apis.by_id("a").unwrap(), Registry::default());
    let id = ConnectionId::from_bytes([7; 19]);
    let info = ConnectionInfo::new(id, &api, "/a", Ipv4Addr::LOCALHOST.into(), None);
    // Room for three empty messages.
    let entry = registry.enter(info, Arc::clone(&api), Mailbox::new(200)).unwrap();
    entry.handle.mailbox.open();
    let pusher = Pusher::new(registry, PushBodies::new(&settings.push), settings.push);
    let message = || (vec![id.to_string()], Ok(Effect::Send(Message::Text("".into()))));
    let began = Instant::now();
    let terms =
        Terms { began, deadline: began + pusher.settings.timeout, overflow: &pusher.overflow };
    let begun = pusher.begin_each(&api, vec![message(), message()], terms).await;
    let more = pusher.begin_each(&api, vec![message(), message(), message()], terms).await;
    assert!(begun.iter().chain(&more).all(|(_, begun)| matches!(begun, Ok(Some(_)))));
    drop(more);
    assert_eq!(entry.handle.mailbox.take(1 << 10, began).letters.len(), 3);
    assert!(settle_each(begun, began).await.iter().all(|(_, error)| *error == NotPushed::Gone));
}
