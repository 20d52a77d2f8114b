//! The memory for bodies that are being read. All bodies of a service share one bound.
//!
//! A body takes memory for its whole length, but only when its first bytes have come: a request
//! that announces a body and sends nothing holds none. Bodies take memory in the order in which
//! they began. While others wait, a body that comes too slowly is given up. Small bodies have
//! memory of their own, so that none waits for a large one.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::{
    AnswerHold, BodyError, BodyRules, Encoding, HttpConnection,
    gzip::GzipBody,
    pieces::Pieces,
    pool::{Pool, Pools, SMALL_BYTES},
    share::{MemoryShare, Taken},
};
use crate::pace::Pace;

/// The part of all memory that small bodies have beside.
const SMALL_SHARE: usize = 8;

/// The memory for the bodies of one service. Clones are the same.
#[derive(Debug, Clone)]
pub struct BodyMemory {
    memory: Arc<Memory>,
    share: Option<Arc<MemoryShare>>,
}

#[derive(Debug)]
struct Memory {
    pools: Pools,
    rules: BodyRules,
}

/// A body, or a part of one, with its memory.
#[derive(Debug)]
pub struct HeldBody {
    /// The bytes of this part.
    pub bytes: Bytes,
    taken: Option<Taken>,
}

/// A body that is being read.
struct Reading<'m> {
    memory: &'m BodyMemory,
    /// How long it may become.
    length_max: usize,
    taken: Option<Taken>,
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
        Self { memory: Arc::new(Memory { pools: Pools::new(bytes, small), rules }), share: None }
    }

    /// A share for one sender: half of all memory, at least `largest` bytes and a small body.
    pub fn share(&self, largest: usize) -> MemoryShare {
        let Pools { large, small } = &self.memory.pools;
        let small = (small.bytes / 2).max(SMALL_BYTES);
        MemoryShare(Pools::new((large.bytes / 2).max(largest), small))
    }

    /// The same memory, for bodies that have no more of it than `share` together. They wait for
    /// their share first.
    #[must_use]
    pub fn within(&self, share: Arc<MemoryShare>) -> Self {
        Self { memory: Arc::clone(&self.memory), share: Some(share) }
    }

    /// The answer of `connection` holds the memory of `body` until the hold is dropped. While
    /// bodies wait for memory, the connection is ended if its peer reads nothing for a quarter of a
    /// second.
    pub fn hold(&self, body: &HeldBody, connection: HttpConnection) -> AnswerHold {
        let hold = AnswerHold::new(connection);
        for pool in body.taken.iter().flat_map(|taken| taken.pools(&self.memory.pools)) {
            pool.holders.add(&hold);
        }
        hold
    }

    /// Takes memory for so many bytes that are not a body, or all that there is, and waits as a
    /// body does.
    pub async fn take(&self, bytes: usize) -> Result<HeldBody, BodyError> {
        let least = self.pools(bytes).map(|pool| pool.bytes).min().unwrap_or_default();
        let taken = self.taken(bytes, bytes.min(least)).await?;
        Ok(HeldBody { bytes: Bytes::new(), taken: Some(taken) })
    }

    /// The pools from which a body of so many bytes takes memory.
    fn pools(&self, bytes: usize) -> impl Iterator<Item = &Pool> {
        let share = self.share.iter().map(|share| &share.0);
        share.chain([&self.memory.pools]).map(move |pools| pools.of(bytes))
    }

    /// Takes `bytes` for a body that may have `length_max`.
    async fn taken(&self, length_max: usize, bytes: usize) -> Result<Taken, BodyError> {
        let mut lacks = BodyError::NoShare;
        let taking = async {
            let share = match &self.share {
                Some(share) => Some((Arc::clone(share), share.0.of(length_max).take(bytes).await?)),
                None => None,
            };
            lacks = BodyError::NoMemory;
            let memory = self.memory.pools.of(length_max).take(bytes).await?;
            Ok(Taken { memory, share })
        };
        let taken = timeout(self.memory.rules.memory_timeout, taking).await;
        taken.unwrap_or(Err(lacks))
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
        let reading = Reading::begin(self, length_max, None, 0);
        timeout(self.memory.rules.timeout, reading.read(body, limit))
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
    /// The memory of so many bytes of the body, for what they have become.
    #[must_use]
    pub fn part(&mut self, bytes: usize) -> Self {
        Self { bytes: Bytes::new(), taken: self.split_off(bytes) }
    }

    /// What the body has become takes so many bytes from now on, if that is less than before.
    pub fn shrink_to(&mut self, bytes: usize) {
        let held = self.held();
        drop(self.split_off(held.saturating_sub(bytes)));
    }

    /// How many bytes of memory it has.
    pub fn held(&self) -> usize {
        self.taken.as_ref().map_or(0, Taken::bytes)
    }

    /// Takes so many bytes out, or all.
    fn split_off(&mut self, bytes: usize) -> Option<Taken> {
        self.taken.as_mut()?.split(bytes)
    }
}

impl<'m> Reading<'m> {
    fn begin(memory: &'m BodyMemory, length_max: usize, taken: Option<Taken>, total: u64) -> Self {
        let (now, rules) = (Instant::now(), &memory.memory.rules);
        let pace = Pace::begin(now, rules.rate(), total);
        let pace_while_others_wait = Pace::begin(now, rules.rate_while_others_wait(), total);
        Self { memory, length_max, taken, total, pace, pace_while_others_wait }
    }

    async fn read<B>(mut self, mut body: B, limit: usize) -> Result<HeldBody, BodyError>
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
            let free_bytes = self.memory.memory.rules.free_bytes;
            if self.taken.is_none() && pieces.length + data.len() > free_bytes {
                let taken = self.memory.taken(self.length_max, self.length_max).await?;
                self = Self::begin(self.memory, self.length_max, Some(taken), self.total);
            }
            self.total += data.len() as u64;
            self.pace.moved(Instant::now, self.total);
            self.pace_while_others_wait.moved(Instant::now, self.total);
            pieces.add(&data);
        }
        Ok(HeldBody { bytes: pieces.join(), taken: self.taken })
    }

    async fn frame<B>(
        &mut self,
        body: &mut B,
    ) -> Result<Option<Result<Frame<Bytes>, hyper::Error>>, BodyError>
    where
        B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
    {
        let (memory, length_max, total) = (self.memory, self.length_max, self.total);
        let holds = self.taken.is_some();
        let others_wait = || memory.pools(length_max).any(Pool::is_awaited);
        let pace = &mut self.pace_while_others_wait;
        let holds_up_others = async {
            loop {
                sleep_until(pace.deadline()).await;
                if holds && others_wait() {
                    return;
                }
                let rate = memory.memory.rules.rate_while_others_wait();
                *pace = Pace::begin(Instant::now(), rate, total);
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
