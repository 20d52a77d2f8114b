//! Removals of contents from a bucket, beside the requests that made them superfluous. A few run at
//! once, and a bounded number waits; the next start removes what does not get its turn.

use std::{
    fmt::Display,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use daemon::telemetry::LineTurns;
use futures_util::{StreamExt, stream::poll_fn};
use object_store::{Error, ObjectStoreExt, aws::AmazonS3, path::Path as Key};
use tokio::{runtime::Handle, sync::mpsc, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

/// How many objects are removed at once.
const REMOVALS_MAX: usize = 8;
/// How many removals wait.
const QUEUE_MAX: usize = 10_000;
/// The pause between two lines about removals that fail: a bucket that is away fails all of them.
const LINE_PAUSE: Duration = Duration::from_mins(1);

/// Removes objects.
#[derive(Debug)]
pub(super) struct Removals {
    /// None after the end.
    queue: Mutex<Option<mpsc::Sender<Key>>>,
    worker: TaskTracker,
    stays: Arc<Stays>,
}

/// The objects that stay.
#[derive(Debug)]
struct Stays {
    count: AtomicUsize,
    lines: LineTurns<()>,
}

impl Removals {
    /// Nothing is removed any more when the bucket is `lost`.
    pub(super) fn start(client: AmazonS3, lost: CancellationToken, runtime: &Handle) -> Self {
        let (queue, keys) = mpsc::channel(QUEUE_MAX);
        let (worker, lines) = (TaskTracker::new(), LineTurns::new(LINE_PAUSE));
        let stays = Arc::new(Stays { count: AtomicUsize::new(0), lines });
        worker.spawn_on(run(client, lost, keys, Arc::clone(&stays)), runtime);
        Self { queue: Mutex::new(Some(queue)), worker, stays }
    }

    /// Removes these objects soon.
    pub(super) fn add(&self, keys: impl Iterator<Item = Key>) {
        let queue = self.queue.lock().expect("nothing panics with the lock held");
        for key in keys {
            if queue.as_ref().is_none_or(|queue| queue.try_send(key).is_err()) {
                self.stays.add("too many removals wait");
            }
        }
    }

    /// Waits until all have been removed, or have failed.
    pub(super) async fn end(&self) {
        drop(self.queue.lock().expect("nothing panics with the lock held").take());
        self.worker.close();
        self.worker.wait().await;
        let stay = self.stays.count.load(Ordering::Relaxed);
        if stay > 0 {
            warn!(stay, "contents that are not needed stay in the bucket until the next start");
        }
    }
}

impl Stays {
    fn add(&self, error: impl Display) {
        self.count.fetch_add(1, Ordering::Relaxed);
        if let Some(left_out) = self.lines.turn(&(), Instant::now()) {
            warn!(
                %error, left_out,
                "a content that is not needed could not be removed from the bucket; it stays until \
                 the next start"
            );
        }
    }
}

async fn run(
    client: AmazonS3,
    lost: CancellationToken,
    mut keys: mpsc::Receiver<Key>,
    stays: Arc<Stays>,
) {
    let keys = poll_fn(|context| keys.poll_recv(context));
    let removed = keys.for_each_concurrent(REMOVALS_MAX, |key| async {
        let key = key;
        if lost.is_cancelled() {
            return;
        }
        match client.delete(&key).await {
            Ok(()) | Err(Error::NotFound { .. }) => {}
            Err(error) => stays.add(error),
        }
    });
    removed.await;
}
