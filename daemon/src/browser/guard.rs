//! Keeps pages away from a listener that is for programs.
//!
//! Anybody can put a page on the web that makes the browser of its reader send requests to the
//! reader's own machine and network. The page needs no permission to send a request, only to read
//! the answer; so the request is refused.

use std::{
    mem::{Discriminant, discriminant},
    sync::Arc,
    time::Duration,
};

use http::{HeaderMap, Request, Response, StatusCode, header};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::{
    OriginPattern, WebOrigin,
    host::{HostPattern, hosts, ip_of, without_port},
    host_of, origins,
};
use crate::{
    health::is_probe,
    http::{Body, message},
    path::normal,
    settings::Section,
    telemetry::LineTurns,
};

/// The pause between two warnings of the same kind: pages could fill the log.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// Which names and pages a listener knows. The keys are those of its table `[listen]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageSettings {
    /// `internal_hosts`: names of the listener, beside `localhost` and all IP addresses.
    hosts: Vec<HostPattern>,
    /// `internal_origins`: pages that may use the listener.
    origins: Vec<OriginPattern>,
}

impl PageSettings {
    /// Reads the keys from the table `[listen]`.
    pub fn read(listen: &mut Section) -> Self {
        Self {
            hosts: listen.read_or("internal_hosts", &hosts(), "[]"),
            origins: listen.read_or("internal_origins", &origins(false), "[]"),
        }
    }
}

/// Refuses requests of pages. A handle.
#[derive(Debug, Clone)]
pub struct PageGuard {
    settings: Arc<PageSettings>,
    /// Whether a host without its port is a name of the listener that need not be listed.
    is_name: fn(&str) -> bool,
    lines: Arc<LineTurns<Discriminant<Problem>>>,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    /// A page whose name has been pointed at this machine (DNS rebinding) has the name as its host.
    #[error(
        "{0:?} is not a name of this listener; if it is one, add it to listen.internal_hosts, or use \
         the IP address"
    )]
    Host(String),
    #[error(
        "pages of {0:?} may not use this listener; if they may, add the origin to \
         listen.internal_origins"
    )]
    Origin(String),
    #[error("pages of other sites may not use this listener")]
    OtherSite,
    /// A browser asks for permission before it sends JSON for a page of another origin, but not
    /// before it sends a form or a text.
    #[error("the body of a request that a browser sends here must be application/json")]
    NotJson,
}

impl PageGuard {
    /// A guard with these settings.
    pub fn new(settings: PageSettings) -> Self {
        Self::with_names(settings, |_| false)
    }

    /// The same for a listener that has more names: those for which `is_name`, which is given a
    /// host in lower case without its port.
    pub fn with_names(settings: PageSettings, is_name: fn(&str) -> bool) -> Self {
        let lines = Arc::new(LineTurns::new(LINE_PAUSE));
        Self { settings: Arc::new(settings), is_name, lines }
    }

    /// The answer to a request that a page may not send. None for any other request. All may ask
    /// for health, since the answer says nothing.
    pub fn refuse<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        self.problem(request).map(|(status, text)| message(status, &text))
    }

    /// Why a page may not send this request, for a listener that answers in its own form: the
    /// status, and a text. It is logged.
    pub fn problem<B>(&self, request: &Request<B>) -> Option<(StatusCode, String)> {
        if is_probe(request) {
            return None;
        }
        let problem =
            self.check(host_of(request.uri(), request.headers()), request.headers()).err()?;
        let (text, path) = (problem.to_string(), normal(request.uri().path()));
        match self.lines.turn(&discriminant(&problem), Instant::now()) {
            Some(left_out) => {
                warn!(http.request.path = &*path, left_out, "request of a page refused: {text}");
            }
            None => debug!(http.request.path = &*path, "request of a page refused: {text}"),
        }
        let status = match problem {
            Problem::Host(_) | Problem::Origin(_) | Problem::OtherSite => StatusCode::FORBIDDEN,
            Problem::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        };
        Some((status, text))
    }

    /// Whether `authority`, a host and perhaps a port, is a name of the listener.
    pub fn is_own(&self, authority: &str) -> bool {
        let host = without_port(authority);
        host.is_empty()
            || host.eq_ignore_ascii_case("localhost")
            || ip_of(host).is_some()
            || self.settings.hosts.iter().any(|pattern| pattern.matches(host))
            || (self.is_name)(&host.to_ascii_lowercase())
    }

    fn check(&self, authority: Option<&str>, headers: &HeaderMap) -> Result<(), Problem> {
        let authority = authority.unwrap_or_default();
        if !self.is_own(authority) {
            return Err(Problem::Host(without_port(authority).to_owned()));
        }
        let site = headers.get("sec-fetch-site");
        let origin = WebOrigin::of(headers);
        match &origin {
            Some(Ok(origin)) if self.settings.origins.iter().any(|it| it.matches(origin)) => {}
            Some(Ok(origin)) if origin.is_own(authority) => {}
            Some(_) => return Err(Problem::Origin(shown(headers))),
            // A page of the same site is one of another port, or of another name.
            None if site.is_some_and(|site| site != "same-origin" && site != "none") => {
                return Err(Problem::OtherSite);
            }
            None => {}
        }
        if (origin.is_some() || site.is_some()) && !is_json(headers) {
            return Err(Problem::NotJson);
        }
        Ok(())
    }
}

/// What stands in `Origin`, for a message.
fn shown(headers: &HeaderMap) -> String {
    let values = headers.get_all(header::ORIGIN).iter();
    let texts: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    texts.join(", ")
}

/// Whether the body, if there is one, is JSON or of no type.
fn is_json(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_TYPE).iter().all(|value| {
        let text = value.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    })
}

#[cfg(test)]
mod tests;
