//! The part of a memory for bodies that one sender may have, so that a few senders do not keep all
//! others out.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::pool::{Pool, Pools};

/// What one sender may have of a memory. It ends with the last body that has memory of it.
#[derive(Debug)]
pub struct MemoryShare(pub(super) Pools);

/// Memory that has been taken, and the same of a share.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) memory: OwnedSemaphorePermit,
    pub(super) share: Option<(Arc<MemoryShare>, OwnedSemaphorePermit)>,
}

impl Taken {
    pub(super) fn bytes(&self) -> usize {
        self.memory.num_permits()
    }

    /// Takes so many bytes out, or all.
    pub(super) fn split(&mut self, bytes: usize) -> Option<Self> {
        let bytes = bytes.min(self.bytes());
        let memory = self.memory.split(bytes)?;
        let share = self.share.as_mut();
        let share =
            share.and_then(|(share, permit)| Some((Arc::clone(share), permit.split(bytes)?)));
        Some(Self { memory, share })
    }

    /// The pool of `memory` from which this was taken, and that of its share.
    pub(super) fn pools<'p>(&'p self, memory: &'p Pools) -> impl Iterator<Item = &'p Pool> {
        let is_small = memory.small.has(&self.memory);
        let share = self.share.iter().map(|(share, _)| &share.0);
        let all = std::iter::once(memory).chain(share);
        all.map(move |pools| if is_small { &pools.small } else { &pools.large })
    }
}
