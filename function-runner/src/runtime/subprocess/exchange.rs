//! The exchange between an instance and its child: the current event, and its reply.
//!
//! If the child asks again before it has replied, it gets the same event. The first reply counts,
//! and a reply counts only if the event was handed out.

use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use functions::Context;
use tokio::sync::{oneshot, watch};

use crate::invocation::Fault;

/// The event that the child gets next.
#[derive(Debug, Clone)]
pub(super) struct NextEvent {
    pub(super) event: Bytes,
    pub(super) context: Context,
    /// When the reply is due, in milliseconds since 1970.
    pub(super) deadline_ms: u64,
}

/// The reply of a child, which is JSON, or the fault.
pub(super) type ChildReply = Result<String, Fault>;

#[derive(Debug)]
pub(super) struct Exchange {
    /// `None` while there is no event.
    event: watch::Sender<Option<NextEvent>>,
    pending: Mutex<Option<Pending>>,
    started: Mutex<Option<oneshot::Sender<Result<(), Fault>>>>,
}

#[derive(Debug)]
struct Pending {
    reply: oneshot::Sender<ChildReply>,
    handed_out: bool,
}

impl Exchange {
    /// An exchange, and a receiver that learns whether the child has started.
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<(), Fault>>) {
        let (started, outcome) = oneshot::channel();
        let (event, _) = watch::channel(None);
        let (pending, started) = (Mutex::new(None), Mutex::new(Some(started)));
        (Self { event, pending, started }, outcome)
    }

    /// The child has started, or did not start. The first outcome counts.
    pub(super) fn started(&self, outcome: Result<(), Fault>) {
        let sender = self.started.lock().expect("nothing panics with the lock held").take();
        if let Some(sender) = sender {
            let _ = sender.send(outcome);
        }
    }

    /// Offers `event` to the child. The receiver gets the reply.
    pub(super) fn put(&self, event: NextEvent) -> oneshot::Receiver<ChildReply> {
        let (reply, replied) = oneshot::channel();
        *self.pending() = Some(Pending { reply, handed_out: false });
        self.event.send_replace(Some(event));
        replied
    }

    /// Waits for the next event. `None` when there will be no more.
    pub(super) async fn next(&self) -> Option<NextEvent> {
        self.started(Ok(()));
        let mut event = self.event.subscribe();
        let event = event.wait_for(Option::is_some).await.ok()?.clone();
        if let Some(pending) = &mut *self.pending() {
            pending.handed_out = true;
        }
        event
    }

    /// Takes the reply to the current event. If `request_id` is given, it has to be the id of that
    /// event. Returns whether the reply was expected.
    pub(super) fn reply(&self, request_id: Option<&str>, reply: ChildReply) -> bool {
        let mut pending = self.pending();
        let is_meant = self.event.borrow().as_ref().is_some_and(|event| {
            request_id.is_none_or(|request_id| event.context.request_id == request_id)
        });
        let Some(waiting) = pending.take_if(|pending| is_meant && pending.handed_out) else {
            return false;
        };
        self.event.send_replace(None);
        waiting.reply.send(reply).is_ok()
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

    use super::{Exchange, NextEvent};

    fn event(request_id: &str) -> NextEvent {
        let context = Context {
            request_id: request_id.to_owned(),
            function_name: String::new(),
            memory_limit_mb: 128,
            time_limit: Duration::from_secs(3),
            traceparent: None,
        };
        NextEvent { event: Bytes::from_static(b"{}"), context, deadline_ms: 0 }
    }

    #[tokio::test]
    async fn an_event_is_the_same_until_it_is_answered_and_the_first_answer_wins() {
        let (exchange, _) = Exchange::new();
        let mut replied = exchange.put(event("a"));
        assert!(!exchange.reply(None, Ok("early".to_owned())), "the child has not asked for it");
        for _ in 0..2 {
            assert_eq!(exchange.next().await.unwrap().context.request_id, "a");
        }
        assert!(!exchange.reply(Some("b"), Ok("another".to_owned())));
        assert!(exchange.reply(Some("a"), Ok("first".to_owned())));
        assert!(!exchange.reply(Some("a"), Ok("second".to_owned())));
        assert_eq!(replied.try_recv().unwrap().unwrap(), "first");

        // A second reply that comes late is not taken as one to the next event.
        let mut replied = exchange.put(event("b"));
        assert!(!exchange.reply(None, Ok("late".to_owned())));
        exchange.next().await.unwrap();
        assert!(exchange.reply(None, Ok("right".to_owned())));
        assert_eq!(replied.try_recv().unwrap().unwrap(), "right");
    }

    #[tokio::test]
    async fn asking_for_an_event_says_that_the_child_has_started() {
        let (exchange, mut started) = Exchange::new();
        drop(exchange.put(event("a")));
        exchange.next().await.unwrap();
        assert!(started.try_recv().unwrap().is_ok());
    }
}
