//! The queue of the cleanups of one API that are due, and how many may be called at once. Each API
//! has its own: a cleanup function that hangs does not delay the cleanups of other APIs, and a mass
//! drop does not delay live traffic.

use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

use super::{
    journal::{Key, Progress, Record},
    late::Awaited,
};
use crate::{call::LateAnswer, settings::CleanupSettings};

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
    receiver: Mutex<Option<mpsc::Receiver<Record>>>,
    /// Answers that no task waits for yet. One connection has one of them at most.
    late: Mutex<Vec<Awaited>>,
    calls: Arc<Semaphore>,
    changed: Notify,
    left: AtomicBool,
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
        let (ready, receiver) = mpsc::channel(settings.queue);
        Self {
            ready,
            receiver: Mutex::new(Some(receiver)),
            late: Mutex::default(),
            calls: Arc::new(Semaphore::new(settings.concurrency)),
            changed: Notify::new(),
            left: AtomicBool::new(false),
        }
    }

    /// Its other end, for the first caller.
    pub(super) fn take_up(&self) -> Option<mpsc::Receiver<Record>> {
        self.receiver.lock().expect("no code panics while it holds this lock").take()
    }

    /// Waits until one more cleanup may be called.
    pub(super) async fn call(&self) -> OwnedSemaphorePermit {
        let permit = Arc::clone(&self.calls).acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }

    /// Has the feed wait for an answer that shows that the cleanup `key` is due. If the feed has
    /// ended, the exchange ends too.
    pub(super) fn wait_for(&self, key: Key, progress: Progress, answer: LateAnswer) {
        if !self.is_left() {
            let mut late = self.late.lock().expect("no code panics while it holds this lock");
            late.push(Awaited { key, progress, answer });
        }
    }

    /// Takes out the answers to wait for.
    pub(super) fn take_late(&self) -> Vec<Awaited> {
        mem::take(&mut *self.late.lock().expect("no code panics while it holds this lock"))
    }

    /// Leaves what is still owed to the next start: the function failed too often during the drain.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
        self.changed();
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
