//! The outbound queue of a connection: messages on their way to one client.
//!
//! Pushers put messages in, the connection's task takes them out. The queue is bounded in bytes.
//! While the client reads, a full queue takes more messages, and the overflow bounds them. A full
//! queue and a connection that is gone are different answers. Knows nothing of sockets.

mod letter;
mod overflow;

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard},
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, oneshot},
    time::Instant,
};

use self::letter::Letter;
pub(crate) use self::{
    letter::{Delivery, NotOffered, Offered, Receipt, Terms},
    overflow::Overflow,
};
use super::{End, Frame};

/// The outbound queue of one connection.
#[derive(Debug)]
pub(crate) struct Mailbox {
    capacity: usize,
    inner: Mutex<Inner>,
    arrival: Notify,
}

#[derive(Debug)]
struct Inner {
    state: MailboxState,
    queue: VecDeque<Letter>,
    bytes: usize,
    /// Memory of the overflow that the messages have.
    overflow: usize,
    /// When the client last took something. None while nothing waits for the client.
    progress: Option<Instant>,
    requests: Requests,
    next_ticket: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MailboxState {
    /// Register still runs.
    Opening,
    /// Messages are taken out and written.
    Open,
    /// Nothing is taken in any more.
    Shut,
}

/// What is asked of the connection's task beside messages. Once asked, it stays so.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Requests {
    /// Close the connection after what is queued.
    pub(crate) close: Option<End>,
    /// Close it once what the client has sent has been forwarded.
    pub(crate) drain: bool,
    /// Forward nothing more.
    pub(crate) cut: bool,
}

/// What the connection's task takes out at once.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) letters: Vec<(Frame, oneshot::Sender<Delivery>)>,
    /// Set when the connection is to be closed after these.
    pub(crate) close: Option<End>,
}

impl Mailbox {
    /// A mailbox of a connection that is being opened. `capacity` is in bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        let inner = Inner {
            state: MailboxState::Opening,
            queue: VecDeque::new(),
            bytes: 0,
            overflow: 0,
            progress: None,
            requests: Requests::default(),
            next_ticket: 0,
        };
        Self { capacity, inner: Mutex::new(inner), arrival: Notify::new() }
    }

    /// Puts a message in, which is not taken out after its deadline. An empty queue takes a message
    /// of any size: the API's limit has been checked before.
    pub(crate) fn offer(&self, frame: Frame, terms: Terms<'_>) -> Result<Offered, NotOffered> {
        let mut inner = self.lock();
        if inner.state == MailboxState::Shut || inner.requests.close.is_some() {
            return Err(NotOffered::Gone);
        }
        let weight = frame.weight();
        let is_full = inner.bytes > 0 && inner.bytes + weight > self.capacity;
        let overflow = match is_full {
            true => Some(inner.overflow(&frame, terms).ok_or(NotOffered::Full)?),
            false => None,
        };
        let (written, receiver) = oneshot::channel();
        let ticket = inner.next_ticket;
        inner.next_ticket += 1;
        inner.bytes += weight;
        let is_opening = inner.state == MailboxState::Opening;
        let deadline = (!is_opening).then_some(terms.deadline);
        inner.queue.push_back(Letter { ticket, frame, deadline, overflow, written });
        if is_opening {
            return Ok(Offered::Held);
        }
        drop(inner);
        self.arrival.notify_one();
        Ok(Offered::Queued(Receipt { ticket, overflows: is_full, written: receiver }))
    }

    /// The client has taken some of what was taken out.
    pub(crate) fn progress(&self, now: Instant) {
        if let Some(progress) = &mut self.lock().progress {
            *progress = now;
        }
    }

    /// Asks for the connection to be closed after what is queued. Once asked, it stays so.
    /// False when the connection is gone.
    pub(crate) fn close(&self, end: End) -> bool {
        let mut inner = self.lock();
        if inner.state == MailboxState::Shut {
            return false;
        }
        inner.requests.close.get_or_insert(end);
        drop(inner);
        self.arrival.notify_one();
        true
    }

    /// Asks for the connection to be closed once what its client has sent has been forwarded.
    /// Messages are taken in until then.
    pub(crate) fn drain(&self) {
        self.lock().requests.drain = true;
        self.arrival.notify_one();
    }

    /// Asks for an end of forwarding: the drain has no more time.
    pub(crate) fn cut(&self) {
        self.lock().requests.cut = true;
        self.arrival.notify_one();
    }

    /// What is asked of the connection's task.
    pub(crate) fn requests(&self) -> Requests {
        self.lock().requests
    }

    /// Takes a message back, if the connection's task has not taken it out yet. A message whose
    /// deadline has passed may have been dropped before.
    pub(crate) fn withdraw(&self, receipt: &Receipt, now: Instant) -> bool {
        let mut inner = self.lock();
        // Many expire at the same time. To search for each would take longer.
        inner.expire(now);
        let Ok(index) = inner.queue.binary_search_by_key(&receipt.ticket, |letter| letter.ticket)
        else {
            return false;
        };
        if let Some(letter) = inner.queue.remove(index) {
            inner.removed(&letter);
        }
        true
    }

    /// The connection is open: what was held can be taken out.
    pub(crate) fn open(&self) {
        self.lock().state = MailboxState::Open;
        self.arrival.notify_one();
    }

    /// Shuts the mailbox. Pushers that wait for a queued message are notified that it will not be
    /// written.
    pub(crate) fn shut(&self) {
        let letters = {
            let mut inner = self.lock();
            inner.state = MailboxState::Shut;
            inner.bytes = 0;
            inner.overflow = 0;
            mem::take(&mut inner.queue)
        };
        drop(letters);
    }

    /// Waits until there may be something to take out.
    pub(crate) async fn arrived(&self) {
        self.arrival.notified().await;
    }

    /// Takes out messages of about `bytes_max` bytes together, in order. Messages whose deadline
    /// has passed are dropped, whether or not their pushers still wait.
    pub(crate) fn take(&self, bytes_max: usize, now: Instant) -> Batch {
        let mut inner = self.lock();
        let mut batch = Batch::default();
        let mut bytes = 0;
        while bytes < bytes_max
            && let Some(letter) = inner.next(now)
        {
            bytes += letter.frame.weight();
            batch.letters.push((letter.frame, letter.written));
        }
        inner.progress = (!batch.letters.is_empty()).then_some(now);
        if inner.queue.is_empty() {
            // The memory that a burst took is given back.
            inner.queue.shrink_to(4);
            batch.close = inner.requests.close;
        } else {
            drop(inner);
            self.arrival.notify_one();
        }
        batch
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no code panics while it holds this lock")
    }
}

impl Inner {
    /// Memory for a message for which the queue has no room. None if the client does not read, or
    /// if register may wait for the answer.
    fn overflow(&mut self, frame: &Frame, terms: Terms<'_>) -> Option<OwnedSemaphorePermit> {
        let reads = terms.reads(*self.progress.get_or_insert(terms.began));
        if self.state == MailboxState::Opening || !reads {
            return None;
        }
        let permit = terms.overflow.take(frame, self.overflow)?;
        self.overflow += permit.num_permits();
        Some(permit)
    }

    /// The next message whose deadline has not passed.
    fn next(&mut self, now: Instant) -> Option<Letter> {
        self.expire(now);
        let letter = self.queue.pop_front()?;
        self.removed(&letter);
        Some(letter)
    }

    /// Drops the messages at the front whose deadline has passed, whether or not their pushers
    /// still wait.
    fn expire(&mut self, now: Instant) {
        while let Some(letter) = self.queue.pop_front_if(|letter| letter.has_expired(now)) {
            self.removed(&letter);
            // The pusher may have left.
            let _ = letter.written.send(Delivery::Expired);
        }
    }

    fn removed(&mut self, letter: &Letter) {
        self.bytes -= letter.frame.weight();
        self.overflow -= letter.overflow.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    }
}

#[cfg(test)]
mod tests;
