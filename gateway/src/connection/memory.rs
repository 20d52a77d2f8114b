//! The memory for messages of clients, from their first bytes until their calls have ended.
//!
//! All messages together have one bound, and the messages of one API have half of it, so that an
//! API whose function does not answer leaves the other half. Small messages have memory of their
//! own, so that none waits for a large one. A message takes memory once, for its whole length: a
//! message that has memory waits for none, so messages cannot wait for each other.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::Api;

/// The bytes that one permit stands for.
const UNIT: usize = 1 << 10;
/// The length of a small message, and the part of all memory that small messages have beside.
const SMALL_BYTES: usize = 64 << 10;
const SMALL_SHARE: usize = 8;
/// One API may take this part of the memory.
const API_SHARE: usize = 2;

/// The memory for the messages of all APIs. All clones are one memory.
#[derive(Debug, Clone)]
pub(crate) struct ReceiveMemory {
    large: Pool,
    small: Pool,
}

/// The memory for messages of some sizes.
#[derive(Debug, Clone)]
struct Pool {
    permits: Arc<Semaphore>,
    units: usize,
}

/// The memory for the messages of one API.
#[derive(Debug, Clone)]
pub(super) struct ApiMemory {
    large: Share,
    small: Share,
}

/// What one API may take of a pool.
#[derive(Debug, Clone)]
struct Share {
    of_api: Arc<Semaphore>,
    of_all: Arc<Semaphore>,
}

/// The memory of one message, of which both the share of its API and the pool know. Dropping it
/// gives the memory back.
#[derive(Debug, Default)]
pub(super) struct MessageMemory(Option<[OwnedSemaphorePermit; 2]>);

impl ReceiveMemory {
    /// Memory of this many bytes, and an eighth of that beside for small messages.
    pub(crate) fn new(bytes: usize) -> Self {
        let small = (bytes / SMALL_SHARE).max(API_SHARE * SMALL_BYTES);
        Self { large: Pool::new(bytes), small: Pool::new(small) }
    }

    /// The memory for messages of `api`.
    pub(super) fn of(&self, api: &Api) -> ApiMemory {
        let Self { large, small } = self;
        let [of_large, of_small] = api.received([large, small].map(|pool| pool.units / API_SHARE));
        ApiMemory {
            large: Share { of_api: of_large, of_all: Arc::clone(&large.permits) },
            small: Share { of_api: of_small, of_all: Arc::clone(&small.permits) },
        }
    }
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let units = bytes / UNIT;
        Self { permits: Arc::new(Semaphore::new(units)), units }
    }
}

impl ApiMemory {
    /// Memory for a message of so many bytes, if there is some and no message waits for it.
    pub(super) fn try_take(&self, bytes: usize) -> Option<MessageMemory> {
        let (Share { of_api, of_all }, units) = (self.share(bytes), units(bytes));
        let api = Arc::clone(of_api).try_acquire_many_owned(units).ok()?;
        let all = Arc::clone(of_all).try_acquire_many_owned(units).ok()?;
        Some(MessageMemory(Some([api, all])))
    }

    /// Waits for memory for a message of so many bytes, behind the messages that wait already. A
    /// message that waits for its API takes nothing from the messages of other APIs.
    pub(super) async fn take(self, bytes: usize) -> MessageMemory {
        let (Share { of_api, of_all }, units) = (self.share(bytes).clone(), units(bytes));
        let api = of_api.acquire_many_owned(units).await.expect("a semaphore is never closed");
        let all = of_all.acquire_many_owned(units).await.expect("a semaphore is never closed");
        MessageMemory(Some([api, all]))
    }

    fn share(&self, bytes: usize) -> &Share {
        if bytes <= SMALL_BYTES { &self.small } else { &self.large }
    }
}

impl MessageMemory {
    pub(super) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |[permit, _]| permit.num_permits() * UNIT)
    }

    /// The message is whole and has so many bytes.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        for permit in self.0.iter_mut().flatten() {
            let spare = permit.num_permits().saturating_sub(bytes.div_ceil(UNIT));
            drop(permit.split(spare));
        }
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures_util::FutureExt;

    use super::*;
    use crate::{api::Apis, settings::Settings};

    const MIB: usize = 1 << 20;
    const SETTINGS: &str = r#"api = [
        { id = "a", path = "/a", transmit = "echo" },
        { id = "b", path = "/b", transmit = "echo" },
        { id = "c", path = "/c", transmit = "echo" },
    ]"#;

    fn memory_of_three_apis(bytes: usize) -> [ApiMemory; 3] {
        let settings = Settings::parse(Path::new(""), SETTINGS, &Default::default()).unwrap();
        let apis = Apis::new(settings.apis, settings.runner);
        let memory = ReceiveMemory::new(bytes);
        ["a", "b", "c"].map(|id| memory.of(&apis.by_id(id).unwrap()))
    }

    /// Takes memory for messages of so many bytes until there is none.
    fn take_all(memory: &ApiMemory, bytes: usize) -> Vec<MessageMemory> {
        std::iter::from_fn(|| memory.try_take(bytes)).collect()
    }

    #[test]
    fn one_api_has_half_of_the_memory_and_all_together_have_all_of_it() {
        let [a, b, c] = memory_of_three_apis(8 * MIB);
        let of_a = take_all(&a, MIB);
        assert_eq!(of_a.len(), 4);
        let of_b = take_all(&b, MIB);
        assert_eq!(of_b.len(), 4);
        assert!(c.try_take(MIB).is_none());
        drop(of_a);
        assert_eq!(take_all(&c, MIB).len(), 4);
    }

    #[test]
    fn small_messages_have_memory_of_their_own_of_which_one_api_has_half() {
        let [a, b, c] = memory_of_three_apis(8 * MIB);
        let _large = [take_all(&a, MIB), take_all(&b, MIB)];
        assert!(c.try_take(SMALL_BYTES + 1).is_none());
        assert_eq!(take_all(&a, SMALL_BYTES).len(), 8);
        assert_eq!(take_all(&c, SMALL_BYTES).len(), 8);
    }

    #[test]
    fn messages_of_one_api_take_memory_in_their_order() {
        let [a, ..] = memory_of_three_apis(8 * MIB);
        let mut held = take_all(&a, MIB);
        let mut first = Box::pin(a.clone().take(2 * MIB));
        let mut second = Box::pin(a.clone().take(MIB));
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        held.pop();
        assert!(second.as_mut().now_or_never().is_none());
        assert!(a.try_take(MIB).is_none());
        held.pop();
        let first = first.now_or_never().expect("two messages have given memory back");
        assert_eq!(first.bytes(), 2 * MIB);
        drop(first);
        assert!(second.now_or_never().is_some());
    }

    /// A client may leave while its message waits.
    #[test]
    fn a_message_that_waits_no_longer_has_nothing_of_any_memory() {
        let [a, b, c] = memory_of_three_apis(8 * MIB);
        let (of_a, of_b) = (take_all(&a, MIB), take_all(&b, MIB));
        let mut waits_for_all = Box::pin(c.clone().take(MIB));
        assert!(waits_for_all.as_mut().now_or_never().is_none());
        drop(waits_for_all);
        let mut waits_for_its_api = Box::pin(a.clone().take(MIB));
        assert!(waits_for_its_api.as_mut().now_or_never().is_none());
        drop(waits_for_its_api);
        drop((of_a, of_b));
        let all = [take_all(&a, MIB), take_all(&c, MIB)];
        assert_eq!(all.map(|held| held.len()), [4, 4]);
    }
}
