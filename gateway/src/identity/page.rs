//! Which web pages may connect to an API.
//!
//! A browser lets every page open a WebSocket to every server, and sends the cookies of that server
//! along. It only says for which page, in `Origin` (RFC 6455, section 10.2). Other clients need not
//! send one.

use std::net::IpAddr;

use daemon::browser::{Foreign, WebOrigin, host_of};
use http::{HeaderMap, Uri};
use tracing::warn;

use super::Identification;
use crate::{
    api::{Api, ApiConfig},
    settings::AuthSettings,
};

/// A page that may not connect. The text names its origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pages of {0} may not connect to this api")]
pub(crate) struct StrangePage(String);

impl Identification {
    /// Checks for which page the handshake was sent, if it says so. Without `origins`, an API with
    /// these settings takes all pages only if no page can come with the proof of its reader.
    pub(crate) fn admit_page(
        &self,
        api: &Api,
        config: &ApiConfig,
        client: IpAddr,
        (uri, headers): (&Uri, &HeaderMap),
        over_tls: bool,
    ) -> Result<(), StrangePage> {
        let Some(origin) = WebOrigin::of(headers) else { return Ok(()) };
        let settings = &config.settings;
        let host = host_of(uri, headers).unwrap_or_default();
        let check = |origin: &WebOrigin| match &settings.origins {
            Some(origins) if origins.iter().any(|pattern| pattern.matches(origin)) => Ok(()),
            Some(_) => Err(Foreign::Site),
            None if has_proof_of_its_own(&settings.auth) => Ok(()),
            None => self.own_site.check(origin, host, over_tls),
        };
        let (shown, why) = match origin {
            Ok(origin) => match check(&origin) {
                Ok(()) => return Ok(()),
                Err(why) => (format!("\"{origin}\""), why),
            },
            // Not the text, which may be anything.
            Err(_) => ("an origin that is not valid".to_owned(), Foreign::Site),
        };
        self.log_page(api, client, &shown, why);
        Err(StrangePage(shown))
    }

    fn log_page(&self, api: &Api, client: IpAddr, origin: &str, why: Foreign) {
        let Some(left_out) = self.pages.turn(api) else { return };
        let id = api.id();
        match why {
            Foreign::Site => warn!(
                api.id = id, client.address = %client, left_out,
                "pages of {origin} may not connect to {id}; if they may, add the origin to origins of \
                 the api",
            ),
            Foreign::Unencrypted => warn!(
                api.id = id, client.address = %client, left_out,
                "pages of {origin} may not connect to {id}, since they came without TLS; use https, or \
                 add the origin to origins of the api",
            ),
            Foreign::Name => warn!(
                api.id = id, client.address = %client, left_out,
                "pages of {origin} may not connect to {id}, since anybody can point a name at this \
                 gateway; if the host is a name of yours, use https, or add it to \
                 listen.public_hosts, or add the origin to origins of the api",
            ),
        }
    }
}

/// Whether a page has to have the proof itself: a browser sends a cookie along whatever page asks.
fn has_proof_of_its_own(auth: &AuthSettings) -> bool {
    match auth {
        AuthSettings::None => false,
        AuthSettings::Hmac(_) => true,
        AuthSettings::Jwt(settings) => settings.cookie.is_none(),
    }
}
