//! The exchange between an instance and its child: the current event, and its reply.
//!
//! The child gets an event when it asks for one. If it asks again before it has replied, it gets
//! the same event. The first reply counts, and a reply counts only if the event was handed out. An
//! event can be withdrawn; the child may have read it by then.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use daemon::time::milliseconds;
use functions::Context;
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use super::delivery::{Deliveries, Delivery};
use crate::invocation::Fault;

/// How long the connections of a child that has ended may stay open. A process that the child has
/// left behind may hold them. On a machine that is very busy a reply that has come may be read
/// seconds later, and must not be lost.
const CONNECTIONS_END_TIMEOUT: Duration = Duration::from_secs(5);

/// The event that the child gets next.
#[derive(Debug, Clone)]
pub(super) struct NextEvent {
    pub(super) event: Bytes,
    pub(super) context: Context,
}

/// The event as the child gets it.
#[derive(Debug, Clone)]
pub(super) struct GivenEvent {
    pub(super) event: Bytes,
    pub(super) context: Context,
    /// When the reply is due, in milliseconds since 1970.
    pub(super) deadline_ms: u64,
}

/// The reply of a child, which is JSON, or the fault.
pub(super) type ChildReply = Result<String, Fault>;

#[derive(Debug)]
pub(super) struct Exchange {
    /// Whether there is an event for the child.
    has_event: watch::Sender<bool>,
    pending: Mutex<Option<Pending>>,
    /// Whether the child was given the event.
    is_given: watch::Sender<bool>,
    /// How many requests of the child wait for an event.
    asking: watch::Sender<usize>,
    /// How many connections the child has.
    connected: watch::Sender<usize>,
    /// How many replies of the child are being taken, or reasons why it does not start.
    replying: watch::Sender<usize>,
    started: Mutex<Option<oneshot::Sender<Result<(), Fault>>>>,
    has_started: watch::Sender<bool>,
}

#[derive(Debug)]
struct Pending {
    /// `None` when the event was withdrawn.
    event: Option<NextEvent>,
    request_id: String,
    reply: oneshot::Sender<ChildReply>,
    deadline_ms: Option<u64>,
    deliveries: Vec<Arc<Delivery>>,
}

impl Pending {
    /// One to an event that was withdrawn counts until its instance has ended.
    fn expects_reply(&self, request_id: Option<&str>) -> bool {
        let is_meant = request_id.is_none_or(|request_id| self.request_id == request_id);
        is_meant && !self.deliveries.is_empty() && !self.reply.is_closed()
    }
}

/// Counts a connection, a request or a reply of the child, until dropped.
#[derive(Debug)]
pub(super) struct Counted(watch::Sender<usize>);

impl Counted {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Exchange {
    /// An exchange, and a receiver that learns whether the child has started.
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<(), Fault>>) {
        let (started, outcome) = oneshot::channel();
        let exchange = Self {
            has_event: watch::Sender::new(false),
            pending: Mutex::new(None),
            is_given: watch::Sender::new(false),
            asking: watch::Sender::new(0),
            connected: watch::Sender::new(0),
            replying: watch::Sender::new(0),
            started: Mutex::new(Some(started)),
            has_started: watch::Sender::new(false),
        };
        (exchange, outcome)
    }

    /// The child has started, or did not start. The first outcome counts.
    pub(super) fn started(&self, outcome: Result<(), Fault>) {
        let sender = self.started.lock().expect("nothing panics with the lock held").take();
        if let Some(sender) = sender {
            let _ = sender.send(outcome);
            self.has_started.send_replace(true);
        }
    }

    /// Whether the child has started, or did not start.
    pub(super) fn has_started(&self) -> bool {
        *self.has_started.borrow()
    }

    /// Waits until the child has started, or did not start.
    pub(super) async fn start(&self) {
        let _ = self.has_started.subscribe().wait_for(|has_started| *has_started).await;
    }

    /// Whether the child waits for an event.
    pub(super) fn is_asking(&self) -> bool {
        *self.asking.borrow() > 0
    }

    /// Waits until the child waits for an event.
    pub(super) async fn asking(&self) {
        let _ = self.asking.subscribe().wait_for(|count| *count > 0).await;
    }

    /// Offers `event` to the child. The receiver gets the reply.
    pub(super) fn put(&self, event: NextEvent) -> oneshot::Receiver<ChildReply> {
        let (reply, replied) = oneshot::channel();
        let request_id = event.context.request_id.clone();
        let deliveries = Vec::new();
        let event = Some(event);
        let pending = Pending { event, request_id, reply, deadline_ms: None, deliveries };
        *self.pending() = Some(pending);
        self.is_given.send_replace(false);
        self.has_event.send_replace(true);
        replied
    }

    /// Waits until the child was given the event.
    pub(super) async fn given(&self) {
        let _ = self.is_given.subscribe().wait_for(|is_given| *is_given).await;
    }

    /// Waits for the next event, for the connection of `connection`. `None` when there will be no
    /// more.
    pub(super) async fn next(&self, connection: &Deliveries) -> Option<GivenEvent> {
        self.started(Ok(()));
        let _asking = Counted::new(&self.asking);
        let mut has_event = self.has_event.subscribe();
        loop {
            has_event.wait_for(|has_event| *has_event).await.ok()?;
            if let Some(given) = self.give(connection) {
                self.is_given.send_replace(true);
                return Some(given);
            }
        }
    }

    /// The event, unless it was withdrawn.
    fn give(&self, connection: &Deliveries) -> Option<GivenEvent> {
        let mut pending = self.pending();
        let pending = pending.as_mut()?;
        let NextEvent { event, context } = pending.event.clone()?;
        let deadline_ms = *pending.deadline_ms.get_or_insert_with(|| {
            let deadline = SystemTime::now() + context.time_limit;
            deadline.duration_since(SystemTime::UNIX_EPOCH).map_or(0, milliseconds)
        });
        pending.deliveries.push(connection.begin());
        Some(GivenEvent { event, context, deadline_ms })
    }

    /// The child has a connection until the guard is dropped.
    pub(super) fn connected(&self) -> Counted {
        Counted::new(&self.connected)
    }

    /// A reply, or a reason, is being taken until the guard is dropped.
    pub(super) fn replying(&self) -> Counted {
        Counted::new(&self.replying)
    }

    /// Whether a reply is expected: to the event with the id `request_id`, if it is given.
    pub(super) fn expects_reply(&self, request_id: Option<&str>) -> bool {
        self.pending().as_ref().is_some_and(|pending| pending.expects_reply(request_id))
    }

    /// Takes the reply to the current event. If `request_id` is given, it has to be the id of that
    /// event. Returns whether the reply was expected.
    pub(super) fn reply(&self, request_id: Option<&str>, reply: ChildReply) -> bool {
        let waiting = self.pending().take_if(|pending| pending.expects_reply(request_id));
        let Some(waiting) = waiting else { return false };
        self.has_event.send_replace(false);
        waiting.reply.send(reply).is_ok()
    }

    /// Takes the event back. From now on the child does not get it. Returns whether the child may
    /// have been given it.
    pub(super) fn withdraw(&self) -> bool {
        let mut pending = self.pending();
        let Some(pending) = pending.as_mut() else { return true };
        pending.event = None;
        self.has_event.send_replace(false);
        !pending.deliveries.is_empty()
    }

    /// Waits until all that the child has sent is taken. The child has ended.
    pub(super) async fn taken(&self) {
        let taken = async {
            let _ = self.connected.subscribe().wait_for(|count| *count == 0).await;
            // The connection of a reply may end before the reply has been handed over.
            let _ = self.replying.subscribe().wait_for(|count| *count == 0).await;
        };
        let _ = timeout(CONNECTIONS_END_TIMEOUT, taken).await;
    }

    /// Whether the child may have read the event that was withdrawn. All that the child has sent
    /// is taken.
    pub(super) fn was_read(&self) -> bool {
        let pending = self.pending();
        let Some(pending) = pending.as_ref() else { return true };
        !pending.deliveries.iter().all(|delivery| delivery.is_unread())
    }

    fn pending(&self) -> MutexGuard<'_, Option<Pending>> {
        self.pending.lock().expect("nothing panics with the lock held")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use functions::Context;
    use futures_util::FutureExt;

    use super::{Exchange, NextEvent};
    use crate::runtime::subprocess::delivery::Deliveries;

    fn event(request_id: &str) -> NextEvent {
        let context = Context {
            request_id: request_id.to_owned(),
            function_name: String::new(),
            memory_limit_mb: 128,
            time_limit: Duration::from_secs(3),
            traceparent: None,
        };
        NextEvent { event: Bytes::from_static(b"{}"), context }
    }

    #[tokio::test]
    async fn an_event_is_the_same_until_it_is_answered_and_the_first_answer_wins() {
        let (exchange, _) = Exchange::new();
        let mut replied = exchange.put(event("a"));
        assert!(!exchange.reply(None, Ok("early".to_owned())), "the child has not asked for it");
        assert!(!exchange.expects_reply(None));
        for _ in 0..2 {
            assert_eq!(
                exchange.next(&Deliveries::default()).await.unwrap().context.request_id,
                "a"
            );
        }
        assert!(!exchange.reply(Some("b"), Ok("another".to_owned())));
        let expects = [None, Some("a"), Some("b")].map(|id| exchange.expects_reply(id));
        assert_eq!(expects, [true, true, false]);
        assert!(exchange.reply(Some("a"), Ok("first".to_owned())));
        assert!(!exchange.expects_reply(Some("a")));
        assert!(!exchange.reply(Some("a"), Ok("second".to_owned())));
        assert_eq!(replied.try_recv().unwrap().unwrap(), "first");

        // A second reply that comes late is not taken as one to the next event.
        let mut replied = exchange.put(event("b"));
        assert!(!exchange.reply(None, Ok("late".to_owned())));
        exchange.next(&Deliveries::default()).await.unwrap();
        assert!(exchange.reply(None, Ok("right".to_owned())));
        assert_eq!(replied.try_recv().unwrap().unwrap(), "right");
    }

    #[tokio::test]
    async fn asking_for_an_event_says_that_the_child_has_started() {
        let (exchange, mut started) = Exchange::new();
        drop(exchange.put(event("a")));
        exchange.next(&Deliveries::default()).await.unwrap();
        assert!(started.try_recv().unwrap().is_ok());
        assert!(exchange.has_started());
    }

    #[tokio::test]
    async fn an_event_that_was_withdrawn_is_not_given_and_its_child_is_known_to_ask() {
        let (exchange, _) = Exchange::new();
        drop(exchange.put(event("a")));
        assert!(!exchange.withdraw(), "nobody has asked for it");
        assert!(!exchange.was_read());
        let connection = Deliveries::default();
        let mut asks = Box::pin(exchange.next(&connection));
        assert!((&mut asks).now_or_never().is_none());
        assert!(exchange.is_asking());

        drop(exchange.put(event("b")));
        assert_eq!(asks.await.unwrap().context.request_id, "b");
        assert!(!exchange.is_asking());
        // A reply that comes late counts for as long as somebody waits.
        let mut replied = exchange.put(event("c"));
        exchange.next(&connection).await.unwrap();
        assert!(exchange.withdraw());
        assert!(exchange.expects_reply(Some("c")));
        replied.close();
        assert!(!exchange.expects_reply(Some("c")));
        connection.written();
        connection.ended_unread();
        assert!(!exchange.was_read());
    }
}
