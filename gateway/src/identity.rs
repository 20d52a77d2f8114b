//! Who a client is. An API that asks lets a client in only with a proof in its handshake.
//!
//! A client is asked before anything is done for it: a refused one costs no function call, no
//! entry in the journal and no permit. What is refused is answered and logged, and never repeated
//! in either: it may be a token of somebody else's.

mod hmac;
mod jwt;
mod key_sets;
mod page;
mod token;
mod unidentified;

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use daemon::{browser::OwnSite, telemetry::LineTurns};
use http::{HeaderMap, Uri};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::info;

use self::unidentified::Reason;
pub(crate) use self::{key_sets::KeySets, page::StrangePage, unidentified::Unidentified};
use crate::{
    api::{Api, ApiConfig},
    settings::{AuthSettings, TokenKeySource, TokenSettings},
};

/// The pause between two lines that say the same of one API.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// Who a client proved to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The owner of the key pair with this id.
    KeyPair { id: String },
    /// The bearer of a token that says this.
    Token { claims: Map<String, Value> },
}

/// A client that has proved who it is.
#[derive(Debug)]
pub(crate) struct Identified {
    pub(crate) identity: Identity,
    /// When its connection is to be closed, because its proof expires.
    pub(crate) close_at: Option<SystemTime>,
}

/// The lines about each API. A forger may send thousands of handshakes in a second.
#[derive(Debug, Clone)]
struct Lines(Arc<LineTurns<Arc<str>>>);

impl Default for Lines {
    fn default() -> Self {
        Self(Arc::new(LineTurns::new(LINE_PAUSE)))
    }
}

impl Lines {
    /// How many lines about the API were left out before this one. None if this one is, too.
    fn turn(&self, api: &Api) -> Option<u64> {
        self.0.turn(&api.shared_id(), Instant::now())
    }
}

/// Finds out who clients are. All clones share the key sets and the bounds of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identification {
    pub(crate) key_sets: KeySets,
    /// Which pages are of the site of the public listener.
    own_site: Arc<OwnSite>,
    lines: Lines,
    pages: Lines,
}

impl Identification {
    /// Checks tokens with the keys of these sets, and pages by this site.
    pub(crate) fn new(key_sets: KeySets, own_site: OwnSite) -> Self {
        Self { key_sets, own_site: Arc::new(own_site), ..Self::default() }
    }

    /// Checks the proof in a handshake, if the settings of `api`, which are `config`, ask for one.
    /// Takes a token or a signature out of it: no function needs one to know who the client is, and
    /// whoever has one can be the client for a while. `client` is its address, for the log.
    pub(crate) async fn identify(
        &self,
        api: &Api,
        config: &Arc<ApiConfig>,
        client: IpAddr,
        uri: &mut Uri,
        headers: &mut HeaderMap,
    ) -> Result<Option<Identified>, Unidentified> {
        let identified = match &config.settings.auth {
            AuthSettings::None => return Ok(None),
            AuthSettings::Hmac(pairs) => hmac::take(pairs, headers, SystemTime::now())
                .map(|identity| Identified { identity, close_at: None }),
            AuthSettings::Jwt(settings) => match token::take(settings, uri, headers) {
                Ok(token) => self.check_token(settings, &token).await,
                Err(reason) => Err(reason),
            },
        };
        // While keys are fetched, the settings may change: their proof counts, and not the old one.
        let is_changed = !Arc::ptr_eq(config, &api.config());
        let identified = if is_changed { Err(Reason::Changed) } else { identified };
        identified.map(Some).map_err(|reason| {
            self.log(api, client, reason);
            Unidentified { api_id: api.shared_id(), reason }
        })
    }

    async fn check_token(
        &self,
        settings: &TokenSettings,
        token: &str,
    ) -> Result<Identified, Reason> {
        let header = jwt::header(token)?;
        let fetched;
        let keys = match &settings.keys {
            TokenKeySource::Fixed(keys) => keys,
            TokenKeySource::Url(url) => {
                fetched = self.key_sets.for_token(url, &header).await.ok_or(Reason::NoKeys)?;
                &fetched
            }
        };
        let checked = jwt::check(token, &header, settings, keys)?;
        let close_at = checked.expires_at.filter(|_| settings.close_on_expiry);
        Ok(Identified { identity: Identity::Token { claims: checked.claims }, close_at })
    }

    fn log(&self, api: &Api, client: IpAddr, reason: Reason) {
        if let Some(left_out) = self.lines.turn(api) {
            let id = api.id();
            info!(
                api.id = id, client.address = %client, %reason, left_out,
                "a client of {id} did not prove who it is"
            );
        }
    }
}

#[cfg(test)]
mod tests;
