//! Which web pages may connect to an API.
//!
//! A browser lets every page open a WebSocket to every server, and sends the cookies of that server
//! along. It only says for which page, in `Origin` (RFC 6455, section 10.2). Other clients need not
//! send one.

use daemon::browser::{WebOrigin, host_of, is_same_site};
use http::{HeaderMap, Uri};
use tracing::warn;

use super::Identification;
use crate::{api::Api, settings::AuthSettings};

/// A page that may not connect. The text names its origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pages of {0} may not connect to this api")]
pub(crate) struct StrangePage(String);

impl Identification {
    /// Checks for which page the handshake was sent, if it says so. Without `origins`, an API takes
    /// all pages only if no page can come with the proof of its reader.
    pub(crate) fn admit_page(
        &self,
        api: &Api,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), StrangePage> {
        let Some(origin) = WebOrigin::of(headers) else { return Ok(()) };
        let config = api.config();
        let settings = &config.settings;
        let is_admitted = |origin: &WebOrigin| match &settings.origins {
            Some(origins) => origins.iter().any(|pattern| pattern.matches(origin)),
            None if has_proof_of_its_own(&settings.auth) => true,
            None => {
                let host = host_of(uri, headers).unwrap_or_default();
                is_same_site(origin, host)
            }
        };
        let shown = match origin {
            Ok(origin) if is_admitted(&origin) => return Ok(()),
            Ok(origin) => format!("\"{origin}\""),
            // Not the text, which may be anything.
            Err(_) => "an origin that is not valid".to_owned(),
        };
        self.log_page(api, &shown);
        Err(StrangePage(shown))
    }

    fn log_page(&self, api: &Api, origin: &str) {
        if let Some(left_out) = self.pages.turn(api) {
            let id = api.id();
            warn!(
                api.id = id,
                left_out,
                "pages of {origin} may not connect to {id}; if they may, add the origin to origins of \
                 the api",
            );
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
