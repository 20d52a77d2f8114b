//! What a client is told that does not send a request of HTTP/1.1.
//!
//! Hyper answers it with a status and nothing else, or not at all. What is said, and when, is
//! decided here, by what has come and what has been written. The stream writes it.

mod answers;
mod head_start;
mod heads;

use http::StatusCode;

use self::{
    answers::{answer, answer_of_http_2, bare_status},
    head_start::OtherProtocol,
    heads::Heads,
};
use crate::activity::{LastRequest, Stage};

const TLS: &str = "this listener speaks HTTP/1.1 without TLS: use http:// or ws://";

/// The only answer of a connection on which no request is read.
pub(super) fn last_answer(status: StatusCode, problem: &str) -> Vec<u8> {
    answer(status, problem, true)
}

/// Decides which clients are refused.
#[derive(Debug)]
pub(super) struct Refusals {
    heads: Heads,
    /// Whether all that hyper has written has been flushed. What comes then is no rest of an
    /// earlier answer.
    is_flushed: bool,
    /// The request of which part of the answer has been written.
    answered: u64,
}

/// The last answer of a connection.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) problem: String,
    pub(super) answer: Vec<u8>,
}

impl Refusals {
    pub(super) fn new() -> Self {
        Self { heads: Heads::default(), is_flushed: true, answered: 0 }
    }

    /// Bytes are about to be read. Whether part of the next head is there.
    pub(super) fn read_begins(&mut self, last: LastRequest) -> bool {
        self.heads.request(last);
        if last.stage == Stage::Answered {
            self.heads.next();
        }
        self.heads.has_part()
    }

    /// Bytes have come. `is_of_head` says that they begin as part of a head. The refusal of a
    /// client that speaks something else.
    pub(super) fn received(&mut self, bytes: &[u8], is_of_head: bool) -> Option<Refusal> {
        self.heads.received(bytes, is_of_head);
        if !is_of_head || !self.is_flushed {
            return None;
        }
        Some(match self.heads.other_protocol()? {
            OtherProtocol::Http2 => {
                Refusal { problem: "HTTP/2".to_owned(), answer: answer_of_http_2() }
            }
            OtherProtocol::Tls => Refusal {
                problem: TLS.to_owned(),
                answer: answer(StatusCode::BAD_REQUEST, TLS, true),
            },
        })
    }

    /// The refusal of a head of which no more comes, if the client can have an answer.
    pub(super) fn of_half_head(
        &self,
        last: LastRequest,
        status: StatusCode,
        problem: &str,
    ) -> Option<Refusal> {
        let is_in_head = last.stage == Stage::Head && !self.heads.is_blank();
        (self.is_flushed && is_in_head).then(|| self.refusal(status, problem.to_owned()))
    }

    /// The status of `bytes`, if they can be an answer of hyper that does not say what is wrong.
    pub(super) fn bare_status(&self, bytes: &[u8]) -> Option<StatusCode> {
        bare_status(bytes).filter(|_| self.is_flushed)
    }

    /// What is written in place of an answer of hyper with this status. None if the answer is one
    /// of the service.
    pub(super) fn in_place_of(&mut self, status: StatusCode, last: LastRequest) -> Option<Refusal> {
        self.heads.request(last);
        match last.stage {
            Stage::Head => {}
            // The head came together with the request before.
            Stage::Answered if self.answered == last.number => self.heads.next(),
            Stage::Answered | Stage::Other => return None,
        }
        Some(self.refusal(status, self.heads.problem(status)))
    }

    /// Bytes have been written.
    pub(super) fn wrote(&mut self, last: LastRequest) {
        self.is_flushed = false;
        if last.stage == Stage::Answered {
            self.answered = last.number;
        }
    }

    /// All that hyper has written has been flushed.
    pub(super) fn flushed(&mut self, last: LastRequest) {
        self.heads.request(last);
        self.is_flushed = true;
    }

    fn refusal(&self, status: StatusCode, problem: String) -> Refusal {
        let answer = answer(status, &problem, !self.heads.is_of_head_method());
        Refusal { problem, answer }
    }
}

#[cfg(test)]
mod tests;
