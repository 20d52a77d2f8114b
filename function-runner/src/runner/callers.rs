//! Who may still call a runner that drains: open connections, and callers that drain themselves.
//!
//! A caller that drains cannot repeat its calls later. So it says that it drains with a request
//! that it keeps open, and is answered until it ends this request.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// The callers of a runner. A handle: clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Callers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connections: TaskTracker,
    /// How many callers drain.
    draining: watch::Sender<usize>,
}

/// Counts a caller as one that drains, until dropped.
#[derive(Debug)]
pub(crate) struct DrainingCaller(Callers);

impl Callers {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { connections: TaskTracker::new(), draining: watch::Sender::new(0) }))
    }

    /// Tracks the connections to the runner.
    pub(crate) fn connections(&self) -> TaskTracker {
        self.0.connections.clone()
    }

    /// A caller drains from now on.
    pub(crate) fn drains(&self) -> DrainingCaller {
        self.0.draining.send_modify(|callers| *callers += 1);
        DrainingCaller(self.clone())
    }

    /// Waits until no connection is open.
    pub(super) async fn gone(&self) {
        // A closed tracker takes new connections too.
        self.0.connections.close();
        self.0.connections.wait().await;
    }

    /// Waits until a caller drains.
    pub(super) async fn one_drains(&self) {
        self.draining(|callers| callers > 0).await;
    }

    /// Waits until no caller drains.
    pub(super) async fn none_drains(&self) {
        self.draining(|callers| callers == 0).await;
    }

    async fn draining(&self, is_so: impl Fn(usize) -> bool) {
        let mut draining = self.0.draining.subscribe();
        let changed = draining.wait_for(|callers| is_so(*callers)).await;
        changed.expect("the sender lives as long as this handle");
    }
}

impl Drop for DrainingCaller {
    fn drop(&mut self) {
        self.0.0.draining.send_modify(|callers| *callers -= 1);
    }
}
