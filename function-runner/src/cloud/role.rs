//! What a function with a role has to sign requests with.

use std::sync::Arc;

use daemon::credentials::{AccessToken, DerivedPair};

use crate::settings::SecretPair;

/// The pair of functions with a role, and the token that the cloud gives beside it. Nothing here
/// asks for the token.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) pair: Arc<SecretPair>,
    token: Arc<AccessToken>,
}

impl Role {
    /// The one that follows from the token of the services, so that they all know it.
    pub(super) fn derived(token: &AccessToken) -> Self {
        Self::of(SecretPair::derived(DerivedPair::of(token)))
    }

    pub(super) fn of(pair: SecretPair) -> Self {
        Self { pair: Arc::new(pair), token: Arc::new(AccessToken::random()) }
    }

    /// The variables of the environment that client libraries of the cloud read.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 3] {
        [
            ("TENCENTCLOUD_SECRETID", self.pair.id()),
            ("TENCENTCLOUD_SECRETKEY", self.pair.key()),
            ("TENCENTCLOUD_SESSIONTOKEN", self.token.reveal()),
        ]
    }
}
