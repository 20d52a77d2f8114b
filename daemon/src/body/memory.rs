//! The memory for bodies that are being read. All bodies of a service share one bound.
//!
//! A body takes memory for its whole length, but only when its first bytes have come: a request
//! that announces a body and sends nothing holds none. Bodies take memory in the order in which
//! they began. While others wait, a body that comes too slowly is given up. Small bodies have
//! memory of their own, so that none waits for a large one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{
    AnswerHold, BodyError, BodyRules, Encoding, HttpConnection, gzip::GzipBody, holders::Holders,
    pieces::Pieces,
};
use crate::pace::Pace;

/// The length of a small body, and the part of all memory that small bodies have beside.
const SMALL_BYTES: usize = 256 << 10;
const SMALL_SHARE: usize = 8;

/// The memory for the bodies of one service. Clones are the same.
#[derive(Debug, Clone)]
pub struct BodyMemory(Arc<Memory>);

#[derive(Debug)]
struct Memory {
    large: Pool,
    small: Pool,
    rules: BodyRules,
}

/// The memory for bodies of some sizes.
#[derive(Debug)]
struct Pool {
    /// One for each byte.
    permits: Arc<Semaphore>,
    bytes: usize,
    /// How many bodies wait for memory.
    waiting: AtomicUsize,
    /// The connections whose answers hold memory.
    holders: Holders,
}

/// A body, or a part of one, with its memory.
#[derive(Debug)]
pub struct HeldBody {
    /// The bytes of this part.
    pub bytes: Bytes,
    permit: Option<OwnedSemaphorePermit>,
}

/// A body that is being read.
struct Reading<'m> {
    pool: &'m Pool,
    rules: &'m BodyRules,
    permit: Option<OwnedSemaphorePermit>,
    /// How many bytes have come.
    total: u64,
    pace: Pace,
    pace_while_others_wait: Pace,
}

impl BodyMemory {
    /// Memory for the bodies of requests: `bytes` in all, and an eighth of that beside for bodies
    /// of up to 256 KiB. A body waits for memory for `timeout` at most.
    pub fn new(bytes: usize, timeout: Duration) -> Self {
        Self::with_rules(bytes, BodyRules::of_requests(timeout))
    }

    /// The same for bodies with other rules.
    pub fn with_rules(bytes: usize, rules: BodyRules) -> Self {
        let small = (bytes / SMALL_SHARE).max(SMALL_BYTES);
        Self(Arc::new(Memory { large: Pool::new(bytes), small: Pool::new(small), rules }))
    }

    /// The answer of `connection` holds the memory of `body` until the hold is dropped. While
    /// bodies wait for memory, the connection is ended if its peer reads nothing for a quarter of a
    /// second.
    pub fn hold(&self, body: &HeldBody, connection: HttpConnection) -> AnswerHold {
        let Memory { large, small, .. } = &*self.0;
        let of_small =
            |permit: &OwnedSemaphorePermit| Arc::ptr_eq(permit.semaphore(), &small.permits);
        let pool = if body.permit.as_ref().is_some_and(of_small) { small } else { large };
        pool.holders.add(connection)
    }

    /// Takes memory for so many bytes that are not a body, or all that there is, and waits as a
    /// body does.
    pub async fn take(&self, bytes: usize) -> Result<HeldBody, BodyError> {
        let Memory { large, small, rules } = &*self.0;
        let pool = if bytes <= SMALL_BYTES { small } else { large };
        let permit = pool.take(bytes.min(pool.bytes), rules.memory_timeout).await?;
        Ok(HeldBody { bytes: Bytes::new(), permit: Some(permit) })
    }

    /// Reads a body of at most `limit` bytes. A body that says that it is larger is refused at
    /// once, so that a client that asks first (`Expect: 100-continue`) is not told to send it.
    pub async fn read<B>(&self, body: B, limit: usize) -> Result<HeldBody, BodyError>
    where
        B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
    {
        if body.size_hint().lower() > limit as u64 {
            return Err(BodyError::TooLarge(limit));
        }
        // A body that does not say its length counts as one of the greatest length.
        let said = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
        let length_max = said.unwrap_or(limit).min(limit);
        let Memory { large, small, rules } = &*self.0;
        let reading =
            Reading::begin(if length_max <= SMALL_BYTES { small } else { large }, rules, None, 0);
        timeout(rules.timeout, reading.read(body, length_max, limit))
            .await
            .map_err(|_| BodyError::TooSlow)?
    }
}

impl BodyMemory {
    /// Reads a body that is encoded. `limit` is that of its plain bytes.
    pub async fn read_encoded<B>(
        &self,
        body: B,
        encoding: Encoding,
        limit: usize,
    ) -> Result<HeldBody, BodyError>
    where
        B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
    {
        match encoding {
            Encoding::Plain => self.read(body, limit).await,
            Encoding::Gzip => {
                let mut body = GzipBody::new(body, limit);
                let mut held = self.read(&mut body, limit).await?;
                if let Some(problem) = body.problem {
                    return Err(problem);
                }
                // Until now it had memory for what it might become.
                held.shrink_to(held.bytes.len());
                Ok(held)
            }
        }
    }
}

impl HeldBody {
    /// A part of the body, which takes its share of the memory with it.
    #[must_use]
    pub fn part(&mut self, bytes: Bytes) -> Self {
        let permit = self.split_off(bytes.len());
        Self { bytes, permit }
    }

    /// What the body has become takes so many bytes from now on, if that is less than before.
    pub fn shrink_to(&mut self, bytes: usize) {
        let held = self.held();
        drop(self.split_off(held.saturating_sub(bytes)));
    }

    /// How many bytes of memory it has.
    pub fn held(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Takes so many permits out, or all.
    fn split_off(&mut self, permits: usize) -> Option<OwnedSemaphorePermit> {
        let held = self.permit.as_mut()?;
        held.split(permits.min(held.num_permits()))
    }
}

impl<'m> Reading<'m> {
    fn begin(
        pool: &'m Pool,
        rules: &'m BodyRules,
        permit: Option<OwnedSemaphorePermit>,
        total: u64,
    ) -> Self {
        let now = Instant::now();
        let pace = Pace::begin(now, rules.rate(), total);
        let pace_while_others_wait = Pace::begin(now, rules.rate_while_others_wait(), total);
        Self { pool, rules, permit, total, pace, pace_while_others_wait }
    }

    async fn read<B>(
        mut self,
        mut body: B,
        length_max: usize,
        limit: usize,
    ) -> Result<HeldBody, BodyError>
    where
        B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
    {
        let mut pieces = Pieces::default();
        while !body.is_end_stream() {
            let Some(frame) = self.frame(&mut body).await? else { break };
            let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
            if pieces.length + data.len() > limit {
                return Err(BodyError::TooLarge(limit));
            }
            if self.permit.is_none() && pieces.length + data.len() > self.rules.free_bytes {
                let permit = self.pool.take(length_max, self.rules.memory_timeout).await?;
                self = Self::begin(self.pool, self.rules, Some(permit), self.total);
            }
            self.total += data.len() as u64;
            self.pace.moved(Instant::now, self.total);
            self.pace_while_others_wait.moved(Instant::now, self.total);
            pieces.add(&data);
        }
        Ok(HeldBody { bytes: pieces.join(), permit: self.permit })
    }

    async fn frame<B>(
        &mut self,
        body: &mut B,
    ) -> Result<Option<Result<Frame<Bytes>, hyper::Error>>, BodyError>
    where
        B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
    {
        let (pool, rules, total) = (self.pool, self.rules, self.total);
        let holds = self.permit.is_some();
        let pace = &mut self.pace_while_others_wait;
        let holds_up_others = async {
            loop {
                sleep_until(pace.deadline()).await;
                if holds && pool.waiting.load(Ordering::Relaxed) > 0 {
                    return;
                }
                *pace = Pace::begin(Instant::now(), rules.rate_while_others_wait(), total);
            }
        };
        tokio::select! {
            biased;
            frame = timeout_at(self.pace.deadline(), body.frame()) => {
                frame.map_err(|_| BodyError::TooSlow)
            }
            () = holds_up_others => Err(BodyError::NoMemory),
        }
    }
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let permits = Arc::new(Semaphore::new(bytes));
        Self { permits, bytes, waiting: AtomicUsize::new(0), holders: Holders::default() }
    }

    async fn take(
        &self,
        bytes: usize,
        wait_max: Duration,
    ) -> Result<OwnedSemaphorePermit, BodyError> {
        let permits = u32::try_from(bytes).map_err(|_| BodyError::NoMemory)?;
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_many_owned(permits) {
            return Ok(permit);
        }
        let _waiting = Waiting::begin(&self.waiting);
        let acquired = Arc::clone(&self.permits).acquire_many_owned(permits);
        let acquired = async {
            tokio::select! {
                biased;
                acquired = acquired => acquired,
                never = self.holders.give_way() => match never {},
            }
        };
        let acquired = timeout(wait_max, acquired).await.map_err(|_| BodyError::NoMemory)?;
        Ok(acquired.expect("the semaphore is never closed"))
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
