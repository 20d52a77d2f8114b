//! The callers that drain. Such a caller cannot repeat its calls later. So it says that it drains
//! with a request that it keeps open, and is answered until it ends this request.

use std::{net::SocketAddr, sync::Arc};

use tokio::sync::watch;

/// How many callers may drain at once. Each holds a connection.
pub(crate) const DRAINING_MAX: usize = 64;

/// The addresses of the callers that drain. A handle: clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Callers(Arc<watch::Sender<Vec<SocketAddr>>>);

/// Counts a caller as one that drains, until dropped.
#[derive(Debug)]
pub(crate) struct DrainingCaller {
    callers: Callers,
    address: SocketAddr,
}

impl Callers {
    /// The caller at `address` drains from now on. None if there are as many as there may be.
    pub(crate) fn drains(&self, address: SocketAddr) -> Option<DrainingCaller> {
        let has_room = self.0.send_if_modified(|callers| {
            let has_room = callers.len() < DRAINING_MAX;
            if has_room {
                callers.push(address);
            }
            has_room
        });
        has_room.then(|| DrainingCaller { callers: self.clone(), address })
    }

    /// The addresses of the callers that drain now.
    pub(super) fn draining(&self) -> Vec<SocketAddr> {
        self.0.borrow().clone()
    }

    /// Waits until a caller drains.
    pub(super) async fn one_drains(&self) {
        self.wait_for(|callers| !callers.is_empty()).await;
    }

    /// Waits until no caller drains.
    pub(super) async fn none_drains(&self) {
        self.wait_for(<[_]>::is_empty).await;
    }

    async fn wait_for(&self, is_so: impl Fn(&[SocketAddr]) -> bool) {
        let mut callers = self.0.subscribe();
        let changed = callers.wait_for(|callers| is_so(callers)).await;
        changed.expect("the sender lives as long as this handle");
    }
}

impl Drop for DrainingCaller {
    fn drop(&mut self) {
        self.callers.0.send_modify(|callers| {
            // The address has the port, so no other caller has the same.
            callers.retain(|address| *address != self.address);
        });
    }
}
