//! `[push]`: who may push, and how pushes are treated.

mod token;

use std::time::Duration;

use daemon::settings::{Section, bytes, count, duration, one_of};
use strum::VariantArray;

pub use self::token::PushToken;
use super::{ApiSettings, GIB, HOUR, MILLISECOND};

/// The settings of pushes.
#[derive(Debug, Clone, PartialEq)]
pub struct PushSettings {
    /// `auth`: what a push presents. None if it is not set, which means [`PushAuth::Token`].
    pub auth: Option<PushAuth>,
    /// `timeout`: a push that is still queued after this time is cancelled and answered 429.
    pub timeout: Duration,
    /// `max_body`: bytes of the body of a push request.
    pub max_body: usize,
    /// `max_ids`: connection ids in one push request.
    pub max_ids: usize,
    /// `memory`: bytes of all push bodies together. A push that gets no memory within `timeout` is
    /// answered HTTP 429. As much again is for messages that wait although a queue is full.
    pub memory: usize,
}

/// What a push presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum PushAuth {
    /// A token.
    Token,
    /// A token, or nothing if the push comes from this machine.
    Loopback,
}

impl PushAuth {
    fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Loopback => "loopback",
        }
    }
}

/// Bytes of a push beside its data.
const OVERHEAD: usize = 1 << 10;
/// The least that `memory` is when it is not set.
const MEMORY: usize = 32 << 20;

/// The default of `auth`, in words.
const AUTH_DEFAULT: &str =
    "token, or loopback in longhold on loopback without a function that has a user";

impl PushSettings {
    pub(super) fn read(section: &mut Section) -> Self {
        let auth = one_of(PushAuth::VARIANTS.iter().map(|auth| (auth.word(), *auth)));
        let auth = section.read_derived("auth", &auth, AUTH_DEFAULT);
        let timeout = section.read_or("timeout", &duration(MILLISECOND..=HOUR), "1s");
        let max_body = section.read_or("max_body", &bytes(1..=GIB), "8MiB");
        let max_ids = section.read_or("max_ids", &count(1..=1_000_000), "10000");
        let memory = section.read_derived(
            "memory",
            &bytes(1..=64 * GIB),
            "32MiB, or max_body if that is more",
        );
        let memory = memory.unwrap_or(max_body.max(MEMORY));
        if memory < max_body {
            section.problem("memory", format!("is {memory}; use max_body, {max_body}, or more"));
        }
        Self { auth, timeout, max_body, max_ids, memory }
    }

    /// Whether a push from this machine needs no token.
    pub(crate) fn trusts_this_machine(&self) -> bool {
        self.auth == Some(PushAuth::Loopback)
    }

    /// What is wrong with `max_body`: a message that a client may send has to fit into a push as
    /// base64.
    pub(crate) fn problems_with(&self, apis: &[ApiSettings]) -> Vec<String> {
        let max_body = self.max_body;
        let needs = |api: &ApiSettings| api.max_message.div_ceil(3) * 4 + OVERHEAD;
        let too_large = apis.iter().filter(|api| needs(api) > max_body);
        too_large
            .map(|api| {
                let (id, needed) = (&api.id, needs(api));
                format!("is {max_body}; api {id:?} with its max_message needs {needed}")
            })
            .collect()
    }
}
