//! Turns of handshakes, so that they never keep all threads busy.
//!
//! A handshake is mostly one signature, of 0.1 ms to some ms. Whoever begins thousands of
//! handshakes would have all threads sign, and open connections would wait.

use std::{future::poll_fn, pin::pin, sync::LazyLock, task::ready, thread::available_parallelism};

use tokio::sync::Semaphore;

/// Half of the processors of this process.
pub(super) static TURNS: LazyLock<Turns> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, std::num::NonZero::get);
    Turns::new((processors / 2).max(1))
});

/// How many futures compute at once.
#[derive(Debug)]
pub(super) struct Turns(Semaphore);

impl Turns {
    fn new(count: usize) -> Self {
        Self(Semaphore::new(count))
    }

    /// Runs `future`. It waits for a turn each time that it goes on, and has none while it waits
    /// for its peer.
    pub(super) async fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut turn = pin!(self.0.acquire());
        poll_fn(|cx| {
            let permit = ready!(turn.as_mut().poll(cx));
            let polled = future.as_mut().poll(cx);
            drop(permit);
            turn.set(self.0.acquire());
            polled
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Poll, Waker},
    };

    use super::*;

    #[test]
    fn a_future_goes_on_in_its_turn_and_has_none_while_it_waits() {
        let (turns, polls) = (Turns::new(1), AtomicUsize::new(0));
        let mut cx = Context::from_waker(Waker::noop());
        let counted = poll_fn(|_| Poll::Ready(polls.fetch_add(1, Ordering::Relaxed)));
        let mut counted = pin!(turns.run(counted));
        let busy = turns.0.try_acquire().unwrap();
        assert_eq!(counted.as_mut().poll(&mut cx), Poll::Pending);
        assert_eq!(polls.load(Ordering::Relaxed), 0, "another one has its turn");
        drop(busy);
        let mut waits = pin!(turns.run(pending::<()>()));
        // A permit that became free is for the one that has waited longest.
        assert_eq!(counted.as_mut().poll(&mut cx), Poll::Ready(0));
        assert_eq!(waits.as_mut().poll(&mut cx), Poll::Pending);
        assert_eq!(turns.0.available_permits(), 1);
    }
}
