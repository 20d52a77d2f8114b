//! The connections whose answers hold memory for bodies. While bodies wait for memory, a connection
//! whose peer does not read its answer gives way.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use tokio::time::sleep;

use crate::activity::{Activity, Awaited};

/// How long a write of such an answer may be blocked while bodies wait for memory.
const BLOCKED_MAX: Duration = Duration::from_millis(250);

/// How often such writes are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// The connection of a request.
#[derive(Debug, Clone)]
pub struct HttpConnection(pub(super) Activity);

/// The answer of a connection holds memory for as long as this exists.
#[derive(Debug)]
pub struct AnswerHold {
    holder: Arc<HttpConnection>,
}

impl AnswerHold {
    pub(super) fn new(connection: HttpConnection) -> Self {
        Self { holder: Arc::new(connection) }
    }
}

/// The connections whose answers hold memory of one service.
#[derive(Debug, Default)]
pub(super) struct Holders(Mutex<Vec<Weak<HttpConnection>>>);

impl Holders {
    pub(super) fn add(&self, hold: &AnswerHold) {
        let mut holders = self.0.lock().expect("no code panics while it holds this lock");
        holders.retain(|holder| holder.strong_count() > 0);
        holders.push(Arc::downgrade(&hold.holder));
    }

    /// Ends connections whose peers do not read, for as long as this is polled.
    pub(super) async fn give_way(&self) -> Infallible {
        loop {
            for holder in self.alive() {
                holder.give_way();
            }
            sleep(LOOK).await;
        }
    }

    fn alive(&self) -> Vec<Arc<HttpConnection>> {
        let holders = self.0.lock().expect("no code panics while it holds this lock");
        holders.iter().filter_map(Weak::upgrade).collect()
    }
}

impl HttpConnection {
    /// If the peer ends its sending side, the request that is in hand ends too. For a request that
    /// is to upgrade the connection.
    pub fn end_with_peer(&self) {
        self.0.end_with_peer();
    }

    fn give_way(&self) {
        let wait = self.0.wait().filter(|wait| wait.what == Awaited::Progress);
        if let Some(wait) = wait.filter(|wait| wait.since.elapsed() >= BLOCKED_MAX) {
            self.0.evict(wait);
        }
    }
}
