//! Which connections a listener holds when there are more than it may have.
//!
//! Each connection has a permit. When all permits are taken, a connection that waits for its peer
//! gives way. If there is none, a newcomer is accepted into a reserve: its head is read, a health
//! probe is answered, and any other request waits for a permit.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout},
};

use crate::activity::{Activity, PeerWait};

/// How many connections are accepted beyond the permits of a listener.
pub(super) const RESERVE: usize = 256;
/// How long a connection of the reserve waits for a request.
pub(super) const RESERVE_TIMEOUT: Duration = Duration::from_secs(1);
/// A connection gives way when it has waited for its peer for this long.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The same for a connection of the reserve.
const RESERVE_WAIT_MIN: Duration = Duration::from_millis(250);
/// How often a connection that needs a permit looks for one that can give way.
const LOOK: Duration = Duration::from_millis(25);
/// The same for all connections of a listener together, while none can give way.
const LOOK_IN_VAIN: Duration = Duration::from_millis(250);
/// How long a request in the reserve waits for a permit.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many of these requests are given up at once while the reserve is full, so that a health
/// probe behind them is accepted.
const GIVEN_UP: usize = 16;

/// The permits of a listener. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Capacity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    regular: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
    connections: Mutex<HashMap<u64, Activity>>,
    next: AtomicU64,
    /// Notifies the request that has waited for a permit longest that it is given up.
    crowded: Notify,
    /// Before this instant no connection can give way.
    look_again: Mutex<Instant>,
}

/// The permit of a connection. It is an extension of each request.
#[derive(Debug, Clone)]
pub struct ConnectionPermit(Arc<Held>);

#[derive(Debug)]
struct Held {
    number: u64,
    capacity: Capacity,
    activity: Activity,
    permit: Mutex<Option<Permit>>,
}

#[derive(Debug)]
enum Permit {
    Regular(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit),
    Reserve(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit),
}

impl Capacity {
    pub(super) fn new(max: usize) -> Self {
        Self(Arc::new(Inner {
            regular: Arc::new(Semaphore::new(max)),
            reserve: Arc::new(Semaphore::new(RESERVE)),
            connections: Mutex::default(),
            next: AtomicU64::new(0),
            crowded: Notify::new(),
            look_again: Mutex::new(Instant::now()),
        }))
    }

    /// A permit for a connection that has been accepted.
    pub(super) async fn enter(&self, activity: Activity) -> ConnectionPermit {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.0.regular).try_acquire_owned() {
                break Permit::Regular(permit);
            }
            self.end_one(self.0.reserve.available_permits() == 0);
            if let Ok(permit) = Arc::clone(&self.0.reserve).try_acquire_owned() {
                activity.is_in_reserve(true);
                break Permit::Reserve(permit);
            }
            for _ in 0..GIVEN_UP {
                self.0.crowded.notify_one();
            }
            sleep(LOOK).await;
        };
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.connections().insert(number, activity.clone());
        let permit = Mutex::new(Some(permit));
        ConnectionPermit(Arc::new(Held { number, capacity: self.clone(), activity, permit }))
    }

    /// Ends the connection that has waited for its peer longest: one without a request first. Those
    /// in the reserve only if `with_reserve`.
    fn end_one(&self, with_reserve: bool) {
        let now = Instant::now();
        let mut look_again =
            self.0.look_again.lock().expect("no code panics while it holds this lock");
        if now < *look_again {
            return;
        }
        let connections = self.connections();
        let waits = connections.values().filter_map(|activity| Some((activity.wait()?, activity)));
        let waits = waits.filter(|(wait, _)| with_reserve || !wait.is_in_reserve);
        let due = |wait: &PeerWait| {
            wait.since + if wait.is_in_reserve { RESERVE_WAIT_MIN } else { WAIT_MIN }
        };
        let longest = waits.clone().filter(|(wait, _)| due(wait) <= now);
        match longest.min_by_key(|(wait, _)| *wait) {
            Some((wait, activity)) => activity.evict(wait),
            None => {
                let next = waits.map(|(wait, _)| due(&wait)).min();
                *look_again = next.unwrap_or(now + LOOK_IN_VAIN).min(now + LOOK_IN_VAIN);
            }
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, Activity>> {
        self.0.connections.lock().expect("no code panics while it holds this lock")
    }
}

impl ConnectionPermit {
    /// Gives the permit up while the request is bounded by other means. The connection takes a
    /// permit again for its next request.
    pub fn give_up(&self) {
        *self.permit() = None;
    }

    pub(super) fn is_regular(&self) -> bool {
        matches!(*self.permit(), Some(Permit::Regular(_)))
    }

    /// Takes a regular permit if there is one, and whether there was.
    pub(super) fn try_take(&self) -> bool {
        if self.is_regular() {
            return true;
        }
        let Ok(permit) = Arc::clone(&self.0.capacity.0.regular).try_acquire_owned() else {
            return false;
        };
        self.hold(permit);
        true
    }

    /// Waits for a regular permit, and whether there was one in time.
    pub(super) async fn take(&self) -> bool {
        if self.try_take() {
            return true;
        }
        let capacity = &self.0.capacity;
        let ending_one = async {
            loop {
                capacity.end_one(false);
                sleep(LOOK).await;
            }
        };
        let acquired = timeout(PERMIT_TIMEOUT, async {
            tokio::select! {
                biased;
                permit = Arc::clone(&capacity.0.regular).acquire_owned() => permit.ok(),
                () = capacity.0.crowded.notified() => None,
                never = ending_one => never,
            }
        });
        let Ok(Some(permit)) = acquired.await else { return false };
        self.hold(permit);
        true
    }

    fn hold(&self, permit: OwnedSemaphorePermit) {
        *self.permit() = Some(Permit::Regular(permit));
        self.0.activity.is_in_reserve(false);
    }

    fn permit(&self) -> MutexGuard<'_, Option<Permit>> {
        self.0.permit.lock().expect("no code panics while it holds this lock")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.capacity.connections().remove(&self.number);
    }
}
