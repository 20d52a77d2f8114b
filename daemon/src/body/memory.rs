//! The memory for bodies that are being read. All bodies of a service share one bound.
//!
//! A body takes memory for the bytes that have come, not for those that it announces. When the
//! memory is used up, bodies take turns: the one whose turn it is may use a reserve that is as
//! large as the largest body, so that it can always be read to its end. Bodies whose peers send
//! nothing meanwhile are given up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{BodyError, RequestBody, pace::Pace, pieces::Pieces};

/// The bytes that one permit stands for.
const UNIT: usize = 1 << 10;
/// How long a body may take to arrive, whatever its size.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the peer of a body may send nothing while other bodies wait for memory.
const SILENCE: Duration = Duration::from_millis(250);

/// The memory for the bodies of one service. Clones are the same.
#[derive(Debug, Clone)]
pub struct BodyMemory(Arc<Memory>);

#[derive(Debug)]
struct Memory {
    shared: Arc<Semaphore>,
    /// For the body whose turn it is.
    reserve: Arc<Semaphore>,
    turn: Arc<Semaphore>,
    /// How many bodies wait for memory.
    waiting: AtomicUsize,
    wait: Duration,
}

/// A body, or a part of one, with its memory.
#[derive(Debug)]
pub struct HeldBody {
    /// The bytes of this part.
    pub bytes: Bytes,
    permits: Permits,
}

#[derive(Debug, Default)]
struct Permits {
    shared: Option<OwnedSemaphorePermit>,
    reserve: Option<OwnedSemaphorePermit>,
}

/// A body that is being read.
struct Reading<'m> {
    memory: &'m Memory,
    permits: Permits,
    turn: Option<OwnedSemaphorePermit>,
}

impl BodyMemory {
    /// Memory for `bytes` in all. No body is larger than `body_max`. A body waits for memory for
    /// `wait` at most.
    pub fn new(bytes: usize, body_max: usize, wait: Duration) -> Self {
        let reserve = units(body_max);
        Self(Arc::new(Memory {
            shared: Arc::new(Semaphore::new(units(bytes).saturating_sub(reserve))),
            reserve: Arc::new(Semaphore::new(reserve)),
            turn: Arc::new(Semaphore::new(1)),
            waiting: AtomicUsize::new(0),
            wait,
        }))
    }

    /// Reads a body of at most `limit` bytes. A body that says that it is larger is refused at
    /// once, so that a client that asks first (`Expect: 100-continue`) is not told to send it.
    pub async fn read(&self, body: RequestBody, limit: usize) -> Result<HeldBody, BodyError> {
        if body.size_hint().lower() > limit as u64 {
            return Err(BodyError::TooLarge(limit));
        }
        let reading = Reading { memory: &self.0, permits: Permits::default(), turn: None };
        timeout(TIMEOUT, reading.read(body, limit)).await.map_err(|_| BodyError::TooSlow)?
    }
}

impl HeldBody {
    /// A part of the body, which takes its share of the memory with it.
    #[must_use]
    pub fn part(&mut self, bytes: Bytes) -> Self {
        let permits = self.permits.split_off(bytes.len() / UNIT);
        Self { bytes, permits }
    }

    /// What the body has become takes so many bytes from now on, if that is less than before.
    pub fn shrink_to(&mut self, bytes: usize) {
        let unused = self.permits.units().saturating_sub(units(bytes));
        drop(self.permits.split_off(unused));
    }
}

impl Reading<'_> {
    async fn read(mut self, mut body: RequestBody, limit: usize) -> Result<HeldBody, BodyError> {
        let mut pieces = Pieces::default();
        let mut pace = Pace::begin(Instant::now());
        while !body.is_end_stream() {
            let Some(frame) = self.frame(&mut body, &pace).await? else { break };
            let frame = frame.map_err(BodyError::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            let length = pieces.length + data.len();
            if length > limit {
                return Err(BodyError::TooLarge(limit));
            }
            if self.has_to_wait(length).await? {
                pace = Pace::begin(Instant::now());
            }
            pace.came(Instant::now(), data.len());
            pieces.add(&data);
        }
        let Self { permits, .. } = self;
        Ok(HeldBody { bytes: pieces.join(), permits })
    }

    async fn frame(
        &self,
        body: &mut RequestBody,
        pace: &Pace,
    ) -> Result<Option<Result<hyper::body::Frame<Bytes>, hyper::Error>>, BodyError> {
        let holds_up_others = async {
            loop {
                sleep(SILENCE).await;
                if self.permits.units() > 0 && self.memory.waiting.load(Ordering::Relaxed) > 0 {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            frame = timeout_at(pace.deadline(), body.frame()) => {
                frame.map_err(|_| BodyError::TooSlow)
            }
            () = holds_up_others => Err(BodyError::NoMemory),
        }
    }

    /// Takes memory for `length` bytes in all. Whether it was waited for.
    async fn has_to_wait(&mut self, length: usize) -> Result<bool, BodyError> {
        let needed = units(length).saturating_sub(self.permits.units());
        let Ok(needed) = u32::try_from(needed) else { return Err(BodyError::NoMemory) };
        if needed == 0 {
            return Ok(false);
        }
        let memory = self.memory;
        if let Ok(permit) = Arc::clone(&memory.shared).try_acquire_many_owned(needed) {
            merge(&mut self.permits.shared, permit);
            return Ok(false);
        }
        let _waiting = Waiting::begin(&memory.waiting);
        let taken = timeout(memory.wait, self.take(needed)).await;
        taken.map_or(Err(BodyError::NoMemory), |()| Ok(true))
    }

    async fn take(&mut self, needed: u32) {
        const OPEN: &str = "the semaphores are never closed";
        let memory = self.memory;
        if self.turn.is_none() {
            tokio::select! {
                biased;
                permit = Arc::clone(&memory.shared).acquire_many_owned(needed) => {
                    return merge(&mut self.permits.shared, permit.expect(OPEN));
                }
                turn = Arc::clone(&memory.turn).acquire_owned() => {
                    self.turn = Some(turn.expect(OPEN));
                }
            }
        }
        let permit = Arc::clone(&memory.reserve).acquire_many_owned(needed).await;
        merge(&mut self.permits.reserve, permit.expect(OPEN));
    }
}

/// Counts a body that waits, also if its connection ends meanwhile.
struct Waiting<'c>(&'c AtomicUsize);

impl<'c> Waiting<'c> {
    fn begin(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Permits {
    fn units(&self) -> usize {
        let permits = self.shared.iter().chain(&self.reserve);
        permits.map(OwnedSemaphorePermit::num_permits).sum()
    }

    /// Takes so many units out, or all: those of the reserve first, because other bodies wait for it.
    fn split_off(&mut self, units: usize) -> Self {
        let reserve = split_off(&mut self.reserve, units);
        let taken = reserve.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        Self { reserve, shared: split_off(&mut self.shared, units - taken) }
    }
}

fn split_off(held: &mut Option<OwnedSemaphorePermit>, units: usize) -> Option<OwnedSemaphorePermit> {
    let permit = held.as_mut()?;
    permit.split(units.min(permit.num_permits()))
}

fn merge(held: &mut Option<OwnedSemaphorePermit>, more: OwnedSemaphorePermit) {
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}
