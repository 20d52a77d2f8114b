//! Where an instance and its child meet: the event in hand, and the answer to it.
//!
//! An event that is asked for again before it is answered is the same event. The first answer
//! wins, and only an event that was handed out can be answered.

use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use functions::Context;
use tokio::sync::{oneshot, watch};

use crate::invocation::Fault;

/// An event on its way to the child.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) event: Bytes,
    pub(super) context: Context,
    /// When the answer must be there, in milliseconds since 1970.
    pub(super) deadline_ms: u64,
}

/// What a child answers: JSON, or why not.
pub(super) type Answer = Result<String, Fault>;

#[derive(Debug)]
pub(super) struct Exchange {
    /// `None` while there is nothing to do.
    delivery: watch::Sender<Option<Delivery>>,
    pending: Mutex<Option<Pending>>,
    started: Mutex<Option<oneshot::Sender<Result<(), Fault>>>>,
}

#[derive(Debug)]
struct Pending {
    answer: oneshot::Sender<Answer>,
    handed_out: bool,
}

impl Exchange {
    /// And what resolves when the child has started or failed to.
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<(), Fault>>) {
        let (started, outcome) = oneshot::channel();
        let (delivery, _) = watch::channel(None);
        let (pending, started) = (Mutex::new(None), Mutex::new(Some(started)));
        (Self { delivery, pending, started }, outcome)
    }

    /// The child has started, or failed to. What is said first counts.
    pub(super) fn started(&self, outcome: Result<(), Fault>) {
        let sender = self.started.lock().expect("nothing panics with the lock held").take();
        if let Some(sender) = sender {
            let _ = sender.send(outcome);
        }
    }

    /// Puts an event there; the answer will come out of what is returned.
    pub(super) fn put(&self, delivery: Delivery) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        *self.pending() = Some(Pending { answer, handed_out: false });
        self.delivery.send_replace(Some(delivery));
        answered
    }

    /// Waits for an event. `None` when there will be no more.
    pub(super) async fn next(&self) -> Option<Delivery> {
        self.started(Ok(()));
        let mut delivery = self.delivery.subscribe();
        let delivery = delivery.wait_for(Option::is_some).await.ok()?.clone();
        if let Some(pending) = &mut *self.pending() {
            pending.handed_out = true;
        }
        delivery
    }

    /// Answers the event in hand, which has the id `request_id` if that is known. Whether there
    /// is one that waits for an answer.
    pub(super) fn answer(&self, request_id: Option<&str>, answer: Answer) -> bool {
        let mut pending = self.pending();
        let is_meant = self.delivery.borrow().as_ref().is_some_and(|delivery| {
            request_id.is_none_or(|request_id| delivery.context.request_id == request_id)
        });
        let Some(waiting) = pending.take_if(|pending| is_meant && pending.handed_out) else {
            return false;
        };
        self.delivery.send_replace(None);
        waiting.answer.send(answer).is_ok()
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

    use super::{Delivery, Exchange};

    fn delivery(request_id: &str) -> Delivery {
        let context = Context {
            request_id: request_id.to_owned(),
            function_name: String::new(),
            memory_limit_mb: 128,
            time_limit: Duration::from_secs(3),
            traceparent: None,
        };
        Delivery { event: Bytes::from_static(b"{}"), context, deadline_ms: 0 }
    }

    #[tokio::test]
    async fn an_event_is_the_same_until_it_is_answered_and_the_first_answer_wins() {
        let (exchange, _) = Exchange::new();
        let mut answered = exchange.put(delivery("a"));
        assert!(!exchange.answer(None, Ok("early".to_owned())), "nobody has asked for it");
        for _ in 0..2 {
            assert_eq!(exchange.next().await.unwrap().context.request_id, "a");
        }
        assert!(!exchange.answer(Some("b"), Ok("another".to_owned())));
        assert!(exchange.answer(Some("a"), Ok("first".to_owned())));
        assert!(!exchange.answer(Some("a"), Ok("second".to_owned())));
        assert_eq!(answered.try_recv().unwrap().unwrap(), "first");

        // A second answer that comes late is not taken for one to the event that follows.
        let mut answered = exchange.put(delivery("b"));
        assert!(!exchange.answer(None, Ok("late".to_owned())));
        exchange.next().await.unwrap();
        assert!(exchange.answer(None, Ok("right".to_owned())));
        assert_eq!(answered.try_recv().unwrap().unwrap(), "right");
    }

    #[tokio::test]
    async fn asking_for_an_event_says_that_the_child_has_started() {
        let (exchange, mut started) = Exchange::new();
        drop(exchange.put(delivery("a")));
        exchange.next().await.unwrap();
        assert!(started.try_recv().unwrap().is_ok());
    }
}
