//! Requests that the S3 server does not answer, or refuses, because a test says so.

use hyper::{HeaderMap, StatusCode};
use tokio::sync::watch;

use crate::support::soon;

/// What becomes of requests whose line has the text.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// They are answered when there is another rule.
    Hold(&'static str),
    /// They are answered 403, which no client repeats.
    Refuse(&'static str),
    /// Those with this header are answered 501.
    Lack(&'static str),
    None,
}

/// Decides about requests. A handle.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    rule: watch::Sender<Rule>,
    /// How many requests are held.
    held: watch::Sender<usize>,
}

impl Gate {
    pub(super) fn open() -> Self {
        Self { rule: watch::Sender::new(Rule::None), held: watch::Sender::new(0) }
    }

    pub(super) fn hold(&self, what: &'static str) {
        self.rule.send_replace(Rule::Hold(what));
    }

    pub(super) fn refuse(&self, what: &'static str) {
        self.rule.send_replace(Rule::Refuse(what));
    }

    pub(super) fn lack(&self, header: &'static str) {
        self.rule.send_replace(Rule::Lack(header));
    }

    pub(super) fn clear(&self) {
        self.rule.send_replace(Rule::None);
    }

    pub(super) fn held(&self) -> usize {
        *self.held.borrow()
    }

    /// Waits until `count` requests are held.
    pub(super) async fn until_held(&self, count: usize) {
        let mut held = self.held.subscribe();
        let enough = held.wait_for(|held| *held >= count);
        soon(&format!("{count} requests that are held"), enough).await.unwrap();
    }

    /// Waits for as long as a request is held. Returns the status with which it is refused.
    pub(super) async fn refusal(&self, line: &str, headers: &HeaderMap) -> Option<StatusCode> {
        let is_held = |rule: &Rule| matches!(rule, Rule::Hold(what) if line.contains(what));
        let mut rule = self.rule.subscribe();
        if is_held(&rule.borrow_and_update()) {
            self.held.send_modify(|held| *held += 1);
            // The gate is there for as long as the server.
            let _ = rule.wait_for(|rule| !is_held(rule)).await;
            self.held.send_modify(|held| *held -= 1);
        }
        let rule = *self.rule.borrow();
        match rule {
            Rule::Refuse(what) if line.contains(what) => Some(StatusCode::FORBIDDEN),
            Rule::Lack(header) if headers.contains_key(header) => Some(StatusCode::NOT_IMPLEMENTED),
            Rule::Hold(_) | Rule::Refuse(_) | Rule::Lack(_) | Rule::None => None,
        }
    }
}
