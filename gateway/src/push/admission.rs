//! Which tokens push to which API. The tokens change while the gateway runs.

use std::sync::{Arc, RwLock};

use crate::settings::PushToken;

/// The tokens of pushes. A handle: clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct PushTokens(Arc<RwLock<Vec<PushToken>>>);

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TokenScope {
    /// Nothing: it is no token of pushes.
    Nothing,
    /// Other APIs.
    OtherApis,
    /// This API.
    ThisApi,
}

impl PushTokens {
    pub(crate) fn new(tokens: Vec<PushToken>) -> Self {
        Self(Arc::new(RwLock::new(tokens)))
    }

    /// Replaces all tokens. Pushes that were admitted go on.
    pub(crate) fn replace(&self, tokens: Vec<PushToken>) {
        *self.0.write().expect("nothing panics with the lock held") = tokens;
    }

    /// What `token` is for, seen from a push that each of these ids of APIs opens.
    pub(crate) fn scope(&self, token: &str, ids: &[&str]) -> TokenScope {
        let tokens = self.0.read().expect("nothing panics with the lock held");
        // All are compared, so that the time does not say which one fits.
        let scopes = tokens.iter().map(|it| match it.token.matches(token) {
            true if ids.iter().any(|id| it.apis.contains(*id)) => TokenScope::ThisApi,
            true => TokenScope::OtherApis,
            false => TokenScope::Nothing,
        });
        scopes.max().unwrap_or(TokenScope::Nothing)
    }
}
