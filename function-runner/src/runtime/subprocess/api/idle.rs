//! Idle connections on which a child has only pushed. HTTP clients keep such connections for later
//! pushes. They give way when the child opens more connections than it may have.
//!
//! A connection of a runtime never gives way: its process would take that for the end of the
//! runner.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// A connection gives way when it has been idle for this long. Before that, the next request may be
/// on its way.
const IDLE_MIN: Duration = Duration::from_secs(1);
/// How often a newcomer looks for a connection that can give way.
const LOOK: Duration = Duration::from_millis(50);

/// The idle connections of one runtime API. A handle.
#[derive(Debug, Clone, Default)]
pub(super) struct IdleConnections(Arc<Mutex<Idle>>);

#[derive(Debug, Default)]
struct Idle {
    connections: HashMap<u64, (Instant, CancellationToken)>,
    next: u64,
}

/// What one connection is used for.
#[derive(Debug)]
pub(super) struct Use {
    number: u64,
    all: IdleConnections,
    is_runtimes: AtomicBool,
    gives_way: CancellationToken,
}

impl IdleConnections {
    /// A connection that has no request yet.
    pub(super) fn connected(&self) -> Use {
        let mut idle = self.lock();
        idle.next += 1;
        let (number, gives_way) = (idle.next, CancellationToken::new());
        Use { number, all: self.clone(), is_runtimes: AtomicBool::new(false), gives_way }
    }

    /// Has idle connections give way, the one first that has been idle longest.
    pub(super) async fn give_way(&self) -> ! {
        loop {
            self.one_gives_way();
            sleep(LOOK).await;
        }
    }

    fn one_gives_way(&self) {
        let (now, mut idle) = (Instant::now(), self.lock());
        let due = idle.connections.iter().filter(|(_, (since, _))| now - *since >= IDLE_MIN);
        let Some(number) = due.min_by_key(|(_, (since, _))| *since).map(|(number, _)| *number)
        else {
            return;
        };
        if let Some((_, gives_way)) = idle.connections.remove(&number) {
            gives_way.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().expect("nothing panics with the lock held")
    }
}

impl Use {
    /// A request of a runtime has come.
    pub(super) fn is_runtimes(&self) {
        self.is_runtimes.store(true, Ordering::Relaxed);
    }

    /// A push has come.
    pub(super) fn push_begins(&self) {
        self.all.lock().connections.remove(&self.number);
    }

    /// The push is answered.
    pub(super) fn push_ends(&self) {
        if self.is_runtimes.load(Ordering::Relaxed) {
            return;
        }
        let idle = (Instant::now(), self.gives_way.clone());
        self.all.lock().connections.insert(self.number, idle);
    }

    /// Waits until the connection has to give way.
    pub(super) async fn gives_way(&self) {
        self.gives_way.cancelled().await;
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.all.lock().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn gives_way(connection: &Use) -> bool {
        connection.gives_way().now_or_never().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn the_connection_that_has_been_idle_longest_gives_way_and_never_that_of_a_runtime() {
        let all = IdleConnections::default();
        let [runtime, busy, first, second, fresh, new] = [(); 6].map(|()| all.connected());
        runtime.is_runtimes();
        for connection in [&runtime, &busy, &first] {
            connection.push_ends();
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        second.push_ends();
        busy.push_begins();
        tokio::time::advance(IDLE_MIN).await;
        fresh.push_ends();
        all.one_gives_way();
        assert!(gives_way(&first) && !gives_way(&second));
        all.one_gives_way();
        assert!(gives_way(&second));
        all.one_gives_way();
        assert!([&runtime, &busy, &fresh, &new].into_iter().all(|it| !gives_way(it)));
        drop((first, second, fresh, runtime, busy, new));
        assert!(all.lock().connections.is_empty());
    }
}
