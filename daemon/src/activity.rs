//! What an HTTP connection does at the moment.
//!
//! The stream, the body of the request and the service of a connection tell it here. `serve` decides
//! by it how the connection ends.

use std::sync::{Arc, Mutex, MutexGuard};

use hyper::body::Incoming;

/// The activity of one connection. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    body: RequestBodyState,
    /// Whether what the peer still sends is read and dropped before the connection is closed.
    must_discard: bool,
    /// Whether the request ends when the peer ends its sending side.
    ends_with_peer: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    /// No byte of the next request has come.
    #[default]
    Idle,
    /// Part of a request head has come.
    Head,
    /// The service has a request.
    Request,
    /// The service has answered.
    Answered,
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

impl Activity {
    /// The stream is about to read. When a request has been answered, hyper reads the next head.
    pub(crate) fn read_begins(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Answered && matches!(state.body, RequestBodyState::Ended) {
            state.phase = Phase::Idle;
        }
    }

    /// Bytes have come.
    pub(crate) fn received(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Idle {
            state.phase = Phase::Head;
        }
    }

    /// Bytes have been written. Within a head they are hyper's answer to a head that is not HTTP.
    pub(crate) fn wrote(&self) {
        let mut state = self.lock();
        state.must_discard |= state.phase == Phase::Head;
    }

    /// The service gets a request.
    pub(crate) fn request_begins(&self, has_body: bool, ends_with_peer: bool) {
        let mut state = self.lock();
        state.phase = Phase::Request;
        state.body = if has_body { RequestBodyState::Open } else { RequestBodyState::Ended };
        state.ends_with_peer = ends_with_peer;
    }

    /// The body of the request has been read to its end.
    pub(crate) fn body_ended(&self) {
        self.lock().body = RequestBodyState::Ended;
    }

    /// The service drops the body of the request before its end.
    pub(crate) fn body_left(&self, body: Incoming) {
        self.lock().body = RequestBodyState::Left(body);
    }

    /// The service has answered.
    pub(crate) fn request_answered(&self, ends_with_peer: bool) -> BodyLeft {
        let mut state = self.lock();
        state.phase = Phase::Answered;
        state.ends_with_peer = ends_with_peer;
        match std::mem::take(&mut state.body) {
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

    pub(crate) fn must_discard(&self) -> bool {
        self.lock().must_discard
    }

    /// Whether the request ends when the peer ends its sending side.
    pub(crate) fn ends_with_peer(&self) -> bool {
        self.lock().ends_with_peer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}
