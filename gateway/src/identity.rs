//! Who a client is. An API that asks lets a client in only with a proof in its handshake.
//!
//! A client is asked before anything is done for it: a refused one costs no function call, no
//! entry in the journal and no permit. What is refused is answered and logged, and never repeated
//! in either: it may be a token of somebody else's.

mod hmac;
mod page;
mod refusal_lines;
mod unidentified;

use std::{sync::Arc, time::SystemTime};

use http::HeaderMap;
use tracing::info;

use self::refusal_lines::RefusalLines;
pub(crate) use self::{page::StrangePage, unidentified::Unidentified};
use crate::{api::Api, settings::AuthSettings};

/// Who a client proved to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The owner of the key pair with this id.
    KeyPair { id: String },
}

/// Finds out who clients are. All clones share the bounds of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identification {
    lines: Arc<RefusalLines>,
    pages: Arc<RefusalLines>,
}

impl Identification {
    /// Checks the proof in the headers of a handshake, if `api` asks for one.
    pub(crate) fn identify(
        &self,
        api: &Api,
        headers: &HeaderMap,
    ) -> Result<Option<Identity>, Unidentified> {
        let identified = match &api.config().settings.auth {
            AuthSettings::None => return Ok(None),
            AuthSettings::Hmac(pairs) => hmac::verify(pairs, headers, SystemTime::now()),
        };
        identified.map(Some).map_err(|reason| {
            self.log(api, reason);
            Unidentified { api_id: api.shared_id(), reason }
        })
    }

    fn log(&self, api: &Api, reason: unidentified::Reason) {
        if let Some(left_out) = self.lines.turn(&api.shared_id(), tokio::time::Instant::now()) {
            let id = api.id();
            info!(api.id = id, %reason, left_out, "a client of {id} did not prove who it is");
        }
    }
}
