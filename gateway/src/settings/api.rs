//! The `[[api]]` tables of `gateway.toml`.

use std::{collections::HashSet, time::Duration};

use daemon::settings::{Kind, Section, bytes, duration, flag, text};
use url::Url;

use super::PathPattern;

/// One API: a path that clients connect to, and the functions behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiSettings {
    /// `id`: the name of its reverse-push URL.
    pub id: String,
    /// `path`: which request paths are its own.
    pub path: PathPattern,
    /// `register`: the function that accepts or refuses a connection. Default none: accept all.
    pub register: Option<FunctionAddress>,
    /// `transmit`: the function that gets each message. Mandatory (documented).
    pub transmit: FunctionAddress,
    /// `cleanup`: the function that learns of a connection's end. Default none.
    pub cleanup: Option<FunctionAddress>,
    /// `timeout`: of a call to a function, with all its retries. Default 15s.
    pub timeout: Duration,
    /// `idle_timeout`: a connection without a message for so long is closed. Default 10m.
    pub idle_timeout: Duration,
    /// `max_message`: bytes of one message, in either direction. Default 1MiB.
    pub max_message: usize,
    /// `reply`: whether a transmit function's reply in the form of a push goes to the sender.
    /// Default false.
    pub reply: bool,
    /// `service_id`: `requestContext.serviceId` of register events. Default the id.
    pub service_id: String,
    /// `service_name`: `requestContext.serviceName` of register events. Default the id.
    pub service_name: String,
}

/// Where a function is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionAddress {
    /// A function of the runner.
    Name(String),
    /// Any HTTP service that answers as the runner does.
    Url(Url),
}

impl FunctionAddress {
    /// The URL to POST events to.
    pub fn resolve(&self, runner: &Url) -> Url {
        match self {
            Self::Url(url) => url.clone(),
            Self::Name(name) => {
                let base = runner.as_str().trim_end_matches('/');
                let url = format!("{base}/functions/{name}/invocations");
                Url::parse(&url).expect("a name has only characters that a path may have")
            }
        }
    }
}

/// Reads all of them. No API at all is a problem, as is an id or a path that stands twice.
pub(super) fn read_all(root: &mut Section) -> Vec<ApiSettings> {
    let mut sections = root.sections("api");
    if sections.is_empty() {
        root.problem("api", "is missing; use an [[api]] with id, path and transmit");
    }
    let mut ids = HashSet::new();
    let mut paths = HashSet::new();
    let mut apis = Vec::new();
    for section in &mut sections {
        let Some(api) = read(section) else { continue };
        if !ids.insert(api.id.clone()) {
            section.problem("id", format!("{:?} stands twice; use one id per api", api.id));
        }
        if !paths.insert(api.path.as_str().to_owned()) {
            let path = api.path.as_str();
            section.problem("path", format!("{path:?} stands twice; use one path per api"));
        }
        apis.push(api);
    }
    apis
}

fn read(section: &mut Section) -> Option<ApiSettings> {
    // Everything is read before anything is found to be missing, so that all is reported.
    let id = section.require("id", &id_kind());
    let path = read_path(section);
    let register = section.read("register", &function());
    let transmit = section.require("transmit", &function());
    let cleanup = section.read("cleanup", &function());
    let times = duration(Duration::from_millis(1)..=Duration::from_secs(24 * 60 * 60));
    let timeout = section.read("timeout", &times).unwrap_or(Duration::from_secs(15));
    let idle_timeout = section.read("idle_timeout", &times).unwrap_or(Duration::from_secs(600));
    let max_message = section.read("max_message", &bytes(1..=256 << 20)).unwrap_or(1 << 20);
    let reply = section.read("reply", &flag()).unwrap_or(false);
    let service_id = section.read("service_id", &text());
    let service_name = section.read("service_name", &text());
    let id = id?;
    Some(ApiSettings {
        path: path?,
        register,
        transmit: transmit?,
        cleanup,
        timeout,
        idle_timeout,
        max_message,
        reply,
        service_id: service_id.unwrap_or_else(|| id.clone()),
        service_name: service_name.unwrap_or_else(|| id.clone()),
        id,
    })
}

fn read_path(section: &mut Section) -> Option<PathPattern> {
    let path = section.require("path", &text())?;
    match PathPattern::parse(&path) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            section.problem("path", format!("{path:?} will not do: {error}"));
            None
        }
    }
}

/// The paths that the internal listener has for itself.
const RESERVED: [&str; 4] = ["healthz", "readyz", "metrics", "cleanups"];

fn id_kind() -> Kind<String> {
    let expected = "letters, digits, `-` and `_`, such as \"api-chat\"; not healthz, readyz, \
        metrics or cleanups";
    Kind::new(expected, |value| {
        value.as_str().filter(|id| is_name(id) && !RESERVED.contains(id)).map(str::to_owned)
    })
}

fn function() -> Kind<FunctionAddress> {
    Kind::new("a function's name, or an http:// or https:// URL", |value| {
        let text = value.as_str()?;
        if is_name(text) {
            return Some(FunctionAddress::Name(text.to_owned()));
        }
        let url = Url::parse(text).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(FunctionAddress::Url(url))
    })
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=60).contains(&text.len()) && text.bytes().all(allowed)
}
