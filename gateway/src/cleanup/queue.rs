//! The queue of the cleanups of one API that are due, and how many may be called at once. Each API
//! has its own: a cleanup function that hangs does not delay the cleanups of other APIs, and a mass
//! drop does not delay live traffic.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

use super::{
    feed::Awaited,
    journal::{Key, Progress, Record},
};
use crate::{call::LateAnswer, settings::CleanupSettings};

/// Late answers that have come to no task yet.
const AWAITED_MAX: usize = 1024;

/// The queues of all APIs. A queue is made when its API is first asked for, and stays.
#[derive(Debug)]
pub(super) struct Queues {
    settings: CleanupSettings,
    by_api: Mutex<HashMap<String, Arc<Queue>>>,
}

/// The queue of one API.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) ready: mpsc::Sender<Record>,
    awaited: mpsc::Sender<Awaited>,
    receivers: Mutex<Option<Receivers>>,
    calls: Arc<Semaphore>,
    changed: Notify,
    left: AtomicBool,
}

/// The other ends of a queue.
#[derive(Debug)]
pub(super) struct Receivers {
    /// Cleanups that are due.
    pub(super) ready: mpsc::Receiver<Record>,
    /// Answers that may show that a cleanup is due.
    pub(super) awaited: mpsc::Receiver<Awaited>,
}

impl Queues {
    pub(super) fn new(settings: CleanupSettings) -> Self {
        Self { settings, by_api: Mutex::default() }
    }

    /// The queue of the API with this id.
    pub(super) fn of(&self, api: &str) -> Arc<Queue> {
        let mut by_api = self.by_api.lock().expect("no code panics while it holds this lock");
        if let Some(queue) = by_api.get(api) {
            return Arc::clone(queue);
        }
        let queue = Arc::new(Queue::new(&self.settings));
        by_api.insert(api.to_owned(), Arc::clone(&queue));
        queue
    }
}

impl Queue {
    fn new(settings: &CleanupSettings) -> Self {
        let (ready_sender, ready) = mpsc::channel(settings.queue);
        let (awaited_sender, awaited) = mpsc::channel(AWAITED_MAX);
        Self {
            ready: ready_sender,
            awaited: awaited_sender,
            receivers: Mutex::new(Some(Receivers { ready, awaited })),
            calls: Arc::new(Semaphore::new(settings.concurrency)),
            changed: Notify::new(),
            left: AtomicBool::new(false),
        }
    }

    /// Its other ends, for the first caller.
    pub(super) fn take_up(&self) -> Option<Receivers> {
        self.receivers.lock().expect("no code panics while it holds this lock").take()
    }

    /// Waits until one more cleanup may be called.
    pub(super) async fn call(&self) -> OwnedSemaphorePermit {
        let permit = Arc::clone(&self.calls).acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }

    /// Waits for an answer that shows that the cleanup `key` is due. If too many wait, the cleanup
    /// becomes due with time.
    pub(super) fn wait_for(&self, key: Key, progress: Progress, answer: LateAnswer) {
        let _ = self.awaited.try_send(Awaited { key, progress, answer });
    }

    /// Leaves what is still owed to the next start: the function failed too often during the drain.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Notes that the journal has a cleanup that it did not have before.
    pub(super) fn changed(&self) {
        self.changed.notify_one();
    }

    /// Waits until the journal may have another cleanup.
    pub(super) async fn has_changed(&self) {
        self.changed.notified().await;
    }
}
