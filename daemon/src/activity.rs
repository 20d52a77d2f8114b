//! What an HTTP connection does at the moment, and since when it has waited for its peer.
//!
//! The stream, the body of the request and the service of a connection tell it here. `serve`
//! decides by it how the connection ends, and which connection gives way for another one.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use hyper::body::Incoming;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The activity of one connection. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Activity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    timeouts: Timeouts,
    state: Mutex<State>,
    evicted: CancellationToken,
}

/// How long a connection waits for a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// For the first byte.
    pub(crate) idle: Duration,
    /// From the first byte of a request head to its last one.
    pub(crate) head: Duration,
    /// At most for each of the two, while the connection holds a permit of the reserve.
    pub(crate) reserve: Duration,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when the connection has been in this phase.
    since: Instant,
    body: RequestBodyState,
    /// Since when the body of the request has been waited for.
    body_awaited: Option<Instant>,
    /// Since when a write has been blocked.
    blocked: Option<Instant>,
    is_in_reserve: bool,
    has_answered: bool,
    /// How many requests the service has got.
    requests: u64,
    /// How long the body of the last one is, if its head says that.
    body_bytes: Option<u64>,
    is_evicted: bool,
    is_spared: bool,
    /// Whether what the peer still sends is read and dropped before the connection is closed.
    must_discard: bool,
    /// Whether the request ends when the peer ends its sending side.
    ends_with_peer: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No byte of the next request has come.
    Idle,
    /// Part of a request head has come.
    Head,
    /// The service has a request.
    Request,
    /// The service has answered.
    Answered,
    /// What the peer still sends is dropped.
    Discarding,
}

/// The last request that the service has got, and what the connection does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastRequest {
    /// How many requests the service has got.
    pub(crate) number: u64,
    /// How long its body is, if its head says that.
    pub(crate) body_bytes: Option<u64>,
    pub(crate) stage: Stage,
}

/// What a connection does, as seen by a reader of request heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Part of the next request head has come.
    Head,
    /// The service has answered, and all of the request has been read.
    Answered,
    Other,
}

#[derive(Debug, Default)]
enum RequestBodyState {
    /// There is no body, or all of it has been read.
    #[default]
    Ended,
    /// Part of the body has not been read yet.
    Open,
    /// The service did not read the body to its end.
    Left(Incoming),
}

/// What is known of the body of a request when the service has answered.
#[derive(Debug)]
pub(crate) enum BodyLeft {
    Nothing,
    /// The body, which the service did not read to its end.
    Unread(Incoming),
    /// The service still holds the body.
    Held,
}

/// A connection waits for its peer. Ordered: the least one gives way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PeerWait {
    pub(crate) what: Awaited,
    pub(crate) since: Instant,
    pub(crate) is_in_reserve: bool,
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Awaited {
    /// The first request, of which nothing has come.
    FirstRequest,
    /// The end of what the peer sends after its answer.
    End,
    /// The rest of a request head.
    Head,
    /// Another request, of which nothing has come.
    NextRequest,
    /// More of a body, or that the peer reads.
    Progress,
}

impl Activity {
    pub(crate) fn new(timeouts: Timeouts) -> Self {
        let state = Mutex::new(State {
            phase: Phase::Idle,
            since: Instant::now(),
            body: RequestBodyState::Ended,
            body_awaited: None,
            blocked: None,
            is_in_reserve: false,
            has_answered: false,
            requests: 0,
            body_bytes: None,
            is_evicted: false,
            is_spared: false,
            must_discard: false,
            ends_with_peer: false,
        });
        Self(Arc::new(Shared { timeouts, state, evicted: CancellationToken::new() }))
    }

    /// The stream is about to read. When a request has been answered, hyper reads the next head.
    /// `has_head_part` says that part of this head came together with the request. Whether the
    /// stream may read.
    pub(crate) fn read_begins(&self, has_head_part: bool) -> bool {
        let mut state = self.lock();
        if state.stage() == Stage::Answered {
            state.enter(if has_head_part { Phase::Head } else { Phase::Idle });
        }
        !state.is_evicted
    }

    /// Bytes have come. Whether they begin as part of a request head.
    pub(crate) fn received(&self) -> bool {
        let mut state = self.lock();
        if state.phase == Phase::Idle {
            state.enter(Phase::Head);
        }
        state.phase == Phase::Head
    }

    /// The last request, and what the connection does with it.
    pub(crate) fn last_request(&self) -> LastRequest {
        let state = self.lock();
        LastRequest { number: state.requests, body_bytes: state.body_bytes, stage: state.stage() }
    }

    /// When the peer has had its time to send a request.
    pub(crate) fn request_due(&self) -> Option<Instant> {
        let (timeouts, state) = (self.0.timeouts, self.lock());
        let time = match state.phase {
            Phase::Idle => timeouts.idle,
            Phase::Head => timeouts.head,
            Phase::Request | Phase::Answered | Phase::Discarding => return None,
        };
        Some(state.since + if state.is_in_reserve { time.min(timeouts.reserve) } else { time })
    }

    /// When the peer has had its time for the TLS handshake.
    pub(crate) fn handshake_due(&self) -> Instant {
        let (timeouts, state) = (self.0.timeouts, self.lock());
        let time = timeouts.head;
        state.since + if state.is_in_reserve { time.min(timeouts.reserve) } else { time }
    }

    /// The TLS handshake has ended. The time for a request begins.
    pub(crate) fn handshake_ended(&self) {
        self.lock().enter(Phase::Idle);
    }

    /// Bytes have been written. Within a head they are hyper's answer to a head that is not HTTP.
    pub(crate) fn wrote(&self) {
        let mut state = self.lock();
        state.must_discard |= state.phase == Phase::Head;
        state.blocked = None;
    }

    /// A write is blocked.
    pub(crate) fn blocked(&self) {
        self.lock().blocked.get_or_insert_with(Instant::now);
    }

    /// Writes are no longer blocked.
    pub(crate) fn flushed(&self) {
        self.lock().blocked = None;
    }

    /// The service gets a request. `body_bytes` is the length of its body, if its head says that.
    pub(crate) fn request_begins(&self, body_bytes: Option<u64>) {
        let mut state = self.lock();
        state.spare();
        state.enter(Phase::Request);
        (state.requests, state.body_bytes) = (state.requests + 1, body_bytes);
        let has_body = body_bytes != Some(0);
        state.body = if has_body { RequestBodyState::Open } else { RequestBodyState::Ended };
        state.ends_with_peer = false;
    }

    /// The request ends when the peer ends its sending side.
    pub(crate) fn end_with_peer(&self) {
        self.lock().ends_with_peer = true;
    }

    /// More of the body is waited for, or has come.
    pub(crate) fn awaits_body(&self, awaits: bool) {
        let mut state = self.lock();
        if awaits {
            state.body_awaited.get_or_insert_with(Instant::now);
        } else {
            state.spare();
            state.body_awaited = None;
        }
    }

    /// The body of the request has been read to its end.
    pub(crate) fn body_ended(&self) {
        let mut state = self.lock();
        (state.body, state.body_awaited) = (RequestBodyState::Ended, None);
    }

    /// The service drops the body of the request before its end.
    pub(crate) fn body_left(&self, body: Incoming) {
        let mut state = self.lock();
        (state.body, state.body_awaited) = (RequestBodyState::Left(body), None);
    }

    /// The service has answered.
    pub(crate) fn request_answered(&self, ends_with_peer: bool) -> BodyLeft {
        let mut state = self.lock();
        state.enter(Phase::Answered);
        state.has_answered = true;
        state.ends_with_peer = ends_with_peer;
        match mem::take(&mut state.body) {
            RequestBodyState::Ended => BodyLeft::Nothing,
            RequestBodyState::Left(body) => BodyLeft::Unread(body),
            RequestBodyState::Open => {
                state.body = RequestBodyState::Open;
                BodyLeft::Held
            }
        }
    }

    /// The connection is to be closed after the answer, although the peer still sends.
    pub(crate) fn discard(&self) {
        self.lock().must_discard = true;
    }

    /// The connection is closed. Whether what the peer still sends is to be dropped before.
    pub(crate) fn closing_begins(&self) -> bool {
        let mut state = self.lock();
        if state.must_discard {
            state.enter(Phase::Discarding);
        }
        state.must_discard
    }

    /// Whether the request ends when the peer ends its sending side.
    pub(crate) fn ends_with_peer(&self) -> bool {
        self.lock().ends_with_peer
    }

    /// The connection holds a permit of the reserve, or one of its own.
    pub(crate) fn is_in_reserve(&self, is_in_reserve: bool) {
        self.lock().is_in_reserve = is_in_reserve;
    }

    /// What the connection waits for, if it waits for its peer and may end.
    pub(crate) fn wait(&self) -> Option<PeerWait> {
        self.lock().wait()
    }

    /// Ends the connection if it still has `wait`.
    pub(crate) fn evict(&self, wait: PeerWait) {
        let mut state = self.lock();
        if state.wait() == Some(wait) {
            state.is_evicted = true;
            self.0.evicted.cancel();
        }
    }

    /// The connection has to give way. If it waits for a request, and `has_unread` says that one
    /// has come, it goes on for this request, and never has to give way again. Whether it goes on.
    pub(crate) fn is_spared_if(&self, has_unread: impl Fn() -> bool) -> bool {
        let mut state = self.lock();
        if state.is_evicted && state.phase == Phase::Idle && has_unread() {
            state.spare();
        }
        state.is_spared
    }

    /// Whether the connection has to give way after the request that it has.
    pub(crate) fn is_spared(&self) -> bool {
        self.lock().is_spared
    }

    /// Waits until the connection has to give way.
    pub(crate) async fn evicted(&self) {
        self.0.evicted.cancelled().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no code panics while it holds this lock")
    }
}

impl State {
    fn stage(&self) -> Stage {
        match self.phase {
            Phase::Head => Stage::Head,
            Phase::Answered if matches!(self.body, RequestBodyState::Ended) => Stage::Answered,
            Phase::Idle | Phase::Request | Phase::Answered | Phase::Discarding => Stage::Other,
        }
    }

    fn enter(&mut self, phase: Phase) {
        (self.phase, self.since) = (phase, Instant::now());
    }

    /// What was waited for has come, perhaps at the moment in which the connection had to give way.
    /// It gives way after this request.
    fn spare(&mut self) {
        if self.is_evicted {
            (self.is_spared, self.is_evicted) = (true, false);
        }
    }

    fn wait(&self) -> Option<PeerWait> {
        if self.is_evicted || self.is_spared {
            return None;
        }
        let (what, since) = match (self.blocked.or(self.body_awaited), self.phase) {
            (_, Phase::Discarding) => (Awaited::End, self.since),
            (Some(since), _) => (Awaited::Progress, since),
            (None, Phase::Idle) if self.has_answered => (Awaited::NextRequest, self.since),
            (None, Phase::Idle) => (Awaited::FirstRequest, self.since),
            (None, Phase::Head) => (Awaited::Head, self.since),
            (None, Phase::Request | Phase::Answered) => return None,
        };
        Some(PeerWait { what, since, is_in_reserve: self.is_in_reserve })
    }
}
