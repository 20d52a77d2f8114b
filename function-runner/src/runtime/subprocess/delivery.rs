//! What is known of an event that was given to a child: whether the child has read it.
//!
//! The system tells, once the connection has ended. If a process closes a connection, or ends, and
//! has not read all that arrived, Linux resets the connection (RFC 2525, section 2.17). If the
//! process has read everything, Linux ends the connection in order. What the system of the child
//! has never acknowledged was not read either.

use std::sync::{Arc, Mutex, MutexGuard};

/// The response by which an event was given to a child.
#[derive(Debug)]
pub(super) struct Delivery(Mutex<Progress>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Nothing of the response has been written.
    Given,
    Written,
    /// The child has read the response, or it is not known that the child has not.
    Read,
    Unread,
}

impl Delivery {
    fn new() -> Self {
        Self(Mutex::new(Progress::Given))
    }

    /// Whether the child has certainly not read the event. Known once the connection has ended.
    pub(super) fn is_unread(&self) -> bool {
        *self.progress() == Progress::Unread
    }

    fn step(&self, next: impl FnOnce(Progress) -> Option<Progress>) {
        let mut progress = self.progress();
        if let Some(next) = next(*progress) {
            *progress = next;
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().expect("nothing panics with the lock held")
    }
}

/// The last delivery on a connection, if there was one. A handle.
#[derive(Debug, Clone, Default)]
pub(super) struct Deliveries(Arc<Mutex<Option<Arc<Delivery>>>>);

impl Deliveries {
    /// An event is given to the child on this connection.
    pub(super) fn begin(&self) -> Arc<Delivery> {
        let delivery = Arc::new(Delivery::new());
        *self.0.lock().expect("nothing panics with the lock held") = Some(Arc::clone(&delivery));
        delivery
    }

    /// Bytes were written.
    pub(super) fn written(&self) {
        self.step(|progress| (progress == Progress::Given).then_some(Progress::Written));
    }

    /// The child has sent bytes. A client sends its next request when it has read the response.
    pub(super) fn heard(&self) {
        self.step(|progress| (progress == Progress::Written).then_some(Progress::Read));
    }

    /// The connection has ended, and the child has not read all bytes that were written.
    pub(super) fn ended_unread(&self) {
        self.step(|progress| match progress {
            Progress::Given | Progress::Written => Some(Progress::Unread),
            Progress::Read | Progress::Unread => None,
        });
    }

    /// The connection has ended.
    pub(super) fn ended(&self) {
        self.step(|progress| match progress {
            Progress::Given => Some(Progress::Unread),
            Progress::Written => Some(Progress::Read),
            Progress::Read | Progress::Unread => None,
        });
    }

    fn step(&self, next: impl FnOnce(Progress) -> Option<Progress>) {
        let delivery = self.0.lock().expect("nothing panics with the lock held").clone();
        if let Some(delivery) = delivery {
            delivery.step(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Deliveries;

    /// Checks whether the event is certainly unread after `steps`.
    fn check(steps: &[fn(&Deliveries)], expected: bool) {
        let deliveries = Deliveries::default();
        let delivery = deliveries.begin();
        for step in steps {
            step(&deliveries);
        }
        assert_eq!(delivery.is_unread(), expected);
    }

    #[test]
    fn an_event_is_unread_only_if_the_connection_shows_it() {
        let (written, heard) = (Deliveries::written, Deliveries::heard);
        let (ended, ended_unread) = (Deliveries::ended, Deliveries::ended_unread);
        check(&[], false);
        check(&[written], false);
        check(&[heard], false);
        check(&[ended], true);
        check(&[ended_unread], true);
        check(&[written, ended_unread, ended], true);
        check(&[written, ended], false);
        check(&[written, heard], false);
        check(&[written, heard, ended_unread], false);
    }
}
