//! The signature that a request presents, in its header `Authorization` or in its URL. Who holds
//! the secret key is another question.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

use super::{Query, percent::decode, percent::encode};
use crate::refusal::{Code, Refusal};

/// How far the clock of a client may be ahead.
const AHEAD_MAX: Duration = Duration::from_secs(300);

/// A signature, and what it says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) secret_id: String,
    pub(super) sign_time: Window,
    pub(super) key_time: Window,
    /// The signed headers and parameters: lower case, encoded, sorted.
    pub(super) headers: Vec<String>,
    pub(super) parameters: Vec<String>,
    /// In hexadecimal digits.
    pub(super) signature: String,
}

/// From when to when a signature counts, in seconds since 1970, as `<begin>;<end>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// As the client wrote it, for it is signed.
    pub(super) text: String,
    begin: u64,
    end: u64,
}

impl Authorization {
    /// What the request presents. `None` if it presents nothing.
    pub(crate) fn of(headers: &HeaderMap, query: &Query) -> Result<Option<Self>, Refusal> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let text = value.to_str().map_err(|_| malformed())?;
            if text.is_empty() {
                return Ok(None);
            }
            return Self::parse(text).map(Some);
        }
        if query.has("q-signature") {
            return Self::from_fields(|name| query.get(name)).map(Some);
        }
        match query.get("sign") {
            Some(text) => Self::parse(text).map(Some),
            None => Ok(None),
        }
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        Self::from_fields(|name| {
            let mut pairs = text.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
        })
    }

    fn from_fields<'t>(field: impl Fn(&str) -> Option<&'t str>) -> Result<Self, Refusal> {
        let need = |name| field(name).ok_or_else(malformed);
        if need("q-sign-algorithm")? != "sha1" {
            return Err(malformed());
        }
        Ok(Self {
            secret_id: need("q-ak")?.to_owned(),
            sign_time: Window::parse(need("q-sign-time")?)?,
            key_time: Window::parse(need("q-key-time")?)?,
            headers: names(need("q-header-list")?)?,
            parameters: names(need("q-url-param-list")?)?,
            signature: need("q-signature")?.to_owned(),
        })
    }

    /// Refuses a signature that does not count at `now`.
    pub(crate) fn check_time(&self, now: SystemTime) -> Result<(), Refusal> {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (now, latest_begin) = (since.as_secs(), (since + AHEAD_MAX).as_secs());
        for window in [&self.sign_time, &self.key_time] {
            if window.end <= now {
                // Client libraries look for this text.
                return Err(Refusal::new(Code::AccessDenied, "Request has expired"));
            }
            if window.begin > latest_begin {
                let message = "The signature does not count yet; set the clocks.";
                return Err(Refusal::new(Code::RequestTimeTooSkewed, message));
            }
        }
        Ok(())
    }

    /// Whether the header with this name, in lower case, is signed.
    pub(crate) fn signs_header(&self, name: &str) -> bool {
        self.headers.iter().any(|found| found == name)
    }
}

impl Window {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let (begin, end) = text.split_once(';').ok_or_else(malformed)?;
        let seconds = |text: &str| text.parse().map_err(|_| malformed());
        Ok(Self { begin: seconds(begin)?, end: seconds(end)?, text: text.to_owned() })
    }
}

/// The names in a list such as `content-length;host`.
fn names(list: &str) -> Result<Vec<String>, Refusal> {
    let names = list.split(';').filter(|name| !name.is_empty());
    let mut names: Vec<String> =
        names.map(|name| Ok(canonical_name(&decode(name)?))).collect::<Result<_, Refusal>>()?;
    names.sort_unstable();
    Ok(names)
}

/// A name as it is signed.
pub(super) fn canonical_name(name: &str) -> String {
    encode(name.as_bytes()).to_lowercase()
}

fn malformed() -> Refusal {
    let message = "The signature is not of the form q-sign-algorithm=sha1&q-ak=…&q-sign-time=…&\
                   q-key-time=…&q-header-list=…&q-url-param-list=…&q-signature=….";
    Refusal::new(Code::AccessDenied, message)
}
