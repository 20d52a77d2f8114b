//! What a function with a role has to sign requests with.

use std::sync::Arc;

use daemon::credentials::AccessToken;

use crate::settings::SecretPair;

/// How the id of a pair begins that the process has made.
const PREFIX: &str = "AKIDlonghold";

/// The pair of functions with a role, and the token that the cloud gives beside it. Nothing here
/// asks for the token.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) pair: Arc<SecretPair>,
    token: Arc<AccessToken>,
}

impl Role {
    /// One of this process.
    pub(super) fn random() -> Self {
        Self::of(SecretPair::random(PREFIX))
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
