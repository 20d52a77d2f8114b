//! `[[api]]`: the paths that clients connect to, and the functions behind them.

use std::{collections::HashSet, path::Path, time::Duration};

use daemon::{
    browser::{OriginPattern, origins},
    settings::{Kind, Section, bytes, count, duration, flag, http_url, problem_of_name, text},
};
use shared::api_id::is_api_id;
use url::Url;

use super::{AuthSettings, DAY, MILLISECOND, PathPattern, SECOND};

/// The longest time that a function may run (documented).
const FUNCTION_TIMEOUT_MAX: Duration = Duration::from_secs(900);

/// One API: a path that clients connect to, and the functions behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiSettings {
    /// `id`: functions push to `/<id>` of the internal listener.
    pub id: String,
    /// `path`: which request paths belong to the API. One or more.
    pub paths: Vec<PathPattern>,
    /// `push_ids`: further ids by which functions push to connections of the API, without `id`.
    /// Other APIs may have the same ones.
    pub push_ids: Vec<String>,
    /// `register`: the function that accepts or refuses a connection. Without one all are accepted.
    pub register: Option<FunctionAddress>,
    /// `transmit`: the function that gets each message.
    pub transmit: FunctionAddress,
    /// `cleanup`: the function that learns of the end of a connection.
    pub cleanup: Option<FunctionAddress>,
    /// `timeout`: of one call of a function, with all its retries.
    pub timeout: Duration,
    /// `register_concurrency`: clients at once that wait for register; the next one is refused with
    /// 503.
    pub register_concurrency: usize,
    /// `transmit_concurrency`: calls of transmit at once. The next message waits for its turn, for
    /// `timeout` at most.
    pub transmit_concurrency: usize,
    /// `function_timeout`: how long register and transmit may run. A cleanup waits for so long for
    /// a call of which nobody knows whether it has ended. A runner tells it for its own functions.
    pub function_timeout: Duration,
    /// `idle_timeout`: a connection without a message for this long is closed.
    pub idle_timeout: Duration,
    /// `max_message`: bytes of one message, in either direction.
    pub max_message: usize,
    /// `reply`: whether a reply of transmit that has the form of a push to the sender is written to
    /// the sender.
    pub reply: bool,
    /// `subprotocols`: the first of the client's offer that is here is chosen, if register chooses
    /// none.
    pub subprotocols: Vec<String>,
    /// `origins`: the web pages that may connect. None: all, if a page has to have
    /// the proof itself, otherwise those of the same site.
    pub origins: Option<Vec<OriginPattern>>,
    /// `auth`: how clients prove who they are.
    pub auth: AuthSettings,
    /// `service_id`: `requestContext.serviceId` of register events.
    pub service_id: String,
    /// `service_name`: `requestContext.serviceName` of register events.
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
    /// The name, if it is a function of the runner.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Url(_) => None,
        }
    }

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

/// Reads all APIs. There must be one, and no two may have the same id or path.
pub(super) fn read_all(root: &mut Section, base: &Path) -> Vec<ApiSettings> {
    let mut sections = root.sections("api");
    if sections.is_empty() {
        root.problem("api", "is missing; use an [[api]] with id, path and transmit");
    }
    let mut ids = HashSet::new();
    let mut paths = HashSet::new();
    let mut apis = Vec::new();
    for section in &mut sections {
        let Some(api) = read(section, base) else { continue };
        if !ids.insert(api.id.clone()) {
            section.problem(
                "id",
                format!("{:?} is the id of another api; use one id per api", api.id),
            );
        }
        for path in &api.paths {
            if !paths.insert(path.key()) {
                let path = path.as_str();
                let problem = format!("{path:?} stands here or in another api already; remove one");
                section.problem("path", problem);
            }
        }
        apis.push(api);
    }
    apis
}

fn read(section: &mut Section, base: &Path) -> Option<ApiSettings> {
    // Every key is read before a missing one ends this, so that all problems are reported.
    let id = section.require("id", &id_kind());
    let paths = read_paths(section);
    let push_ids = section.read_or("push_ids", &push_ids_kind(), "[]");
    if let Some(id) = id.as_ref().filter(|id| push_ids.contains(id)) {
        let problem = format!(
            "has {id:?}, the id of this api, by which functions push to it already; use the other \
             ids alone"
        );
        section.problem("push_ids", problem);
    }
    let register = section.read("register", &function());
    let register = register.and_then(|text| function_at("register", &text, section));
    let transmit = section.require("transmit", &function());
    let transmit = transmit.and_then(|text| function_at("transmit", &text, section));
    let cleanup = section.read("cleanup", &function());
    let cleanup = cleanup.and_then(|text| function_at("cleanup", &text, section));
    let times = duration(MILLISECOND..=DAY);
    let timeout = section.read_or("timeout", &times, "15s");
    let register_concurrency =
        section.read_or("register_concurrency", &count(1..=1_000_000), "1000");
    let transmit_concurrency =
        section.read_or("transmit_concurrency", &count(1..=1_000_000), "5000");
    let function_times = duration(SECOND..=FUNCTION_TIMEOUT_MAX);
    let function_timeout = section.read_or("function_timeout", &function_times, "15m");
    let idle_timeout = section.read_or("idle_timeout", &times, "10m");
    let max_message = section.read_or("max_message", &bytes(1..=256 << 20), "1MiB");
    let reply = section.read_or("reply", &flag(), "false");
    let subprotocols = section.read_or("subprotocols", &subprotocols_kind(), "[]");
    let by_default = "those of the same site; all, if auth takes no cookie";
    let origins = section.read_derived("origins", &origins(true), by_default);
    let auth = AuthSettings::read(section, base);
    let has_all = origins.iter().flatten().any(OriginPattern::has_strangers);
    if has_all && auth.takes_cookie() {
        let problem = "lets every page in the world use the cookie of its reader; list the origins of \
                       your pages, or remove jwt.cookie";
        section.problem("origins", problem);
    }
    let service_id = section.read_derived("service_id", &text(), "the id");
    let service_name = section.read_derived("service_name", &text(), "the id");
    let id = id?;
    Some(ApiSettings {
        paths: paths?,
        push_ids,
        register,
        transmit: transmit?,
        cleanup,
        timeout,
        register_concurrency,
        transmit_concurrency,
        function_timeout,
        idle_timeout,
        max_message,
        reply,
        subprotocols,
        origins,
        auth,
        service_id: service_id.unwrap_or_else(|| id.clone()),
        service_name: service_name.unwrap_or_else(|| id.clone()),
        id,
    })
}

fn read_paths(section: &mut Section) -> Option<Vec<PathPattern>> {
    let kind = Kind::new("a path pattern, or a list of 1 to 20", |value| match value.as_array() {
        Some(list) if list.is_empty() || list.len() > PATHS_MAX => None,
        Some(list) => list.iter().map(|path| path.as_str().map(str::to_owned)).collect(),
        None => value.as_str().map(|path| vec![path.to_owned()]),
    });
    let paths: Vec<String> = section.require("path", &kind.such_as("\"/chat\""))?;
    let parse = |path: &String| match PathPattern::parse(path) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            section.problem("path", format!("{path:?} is not valid: {error}"));
            None
        }
    };
    // All are read, so that all problems are reported.
    paths.iter().map(parse).collect::<Vec<_>>().into_iter().collect()
}

/// The most paths, and the most further ids for pushes, of an API.
const PATHS_MAX: usize = 20;

fn push_ids_kind() -> Kind<Vec<String>> {
    let kind = Kind::new("a list of at most 20 ids, each as the id of an api", |value| {
        let ids = value.as_array()?.iter();
        let ids: Option<Vec<_>> =
            ids.map(|id| id.as_str().filter(|id| is_api_id(id)).map(str::to_owned)).collect();
        ids.filter(|ids| ids.len() <= PATHS_MAX)
    });
    kind.such_as("[\"api-etj7lhtw\"]")
}

fn id_kind() -> Kind<String> {
    let values = "1 to 60 letters, digits, - and _, but not healthz, readyz, metrics or cleanups";
    let kind =
        Kind::new(values, |value| value.as_str().filter(|id| is_api_id(id)).map(str::to_owned));
    kind.such_as("\"api-chat\"")
}

/// The longest list.
const SUBPROTOCOLS_MAX: usize = 100;

fn subprotocols_kind() -> Kind<Vec<String>> {
    let values = "a list of at most 100 subprotocols, each a name as in Sec-WebSocket-Protocol";
    let kind = Kind::new(values, |value| {
        let names = value.as_array()?.iter();
        let names: Option<Vec<_>> = names
            .map(|name| name.as_str().filter(|name| is_token(name)).map(str::to_owned))
            .collect();
        names.filter(|names| names.len() <= SUBPROTOCOLS_MAX)
    });
    kind.such_as("[\"chat\", \"v2.chat\"]")
}

/// Whether this is a token of HTTP: RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_of_token)
}

fn function() -> Kind<String> {
    Kind::new("a function's name, or an http:// or https:// URL", |value| {
        value.as_str().map(str::to_owned)
    })
}

/// Reads what stands at `key`. A text that is neither a name nor a URL is noted as a problem.
fn function_at(key: &str, text: &str, section: &Section) -> Option<FunctionAddress> {
    if let Some(url) = http_url(text) {
        return Some(FunctionAddress::Url(url));
    }
    let problem = match problem_of_name(text) {
        None => return Some(FunctionAddress::Name(text.to_owned())),
        // What was meant to be a URL may hold a password or a token.
        Some(_) if text.contains("://") || text.contains('@') => {
            "the value is not valid; use a function's name, or an http:// or https:// URL"
                .to_owned()
        }
        Some(problem) => format!(
            "{text:?} is not a function's name: it {problem}; use letters, digits, - and _, at most \
             60, or an http:// or https:// URL"
        ),
    };
    section.problem(key, problem);
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::settings::Settings;

    use super::ApiSettings;

    /// Reads an API with the id `a` and this line.
    fn read_with(line: &str) -> Result<ApiSettings, String> {
        let text = format!("[[api]]\nid = \"a\"\npath = \"/a\"\ntransmit = \"t\"\n{line}");
        let settings = Settings::parse(Path::new("gateway.toml"), &text, &Default::default());
        settings.map(|mut it| it.apis.remove(0)).map_err(|error| error.to_string())
    }

    fn read(subprotocols: &str) -> Result<Vec<String>, String> {
        read_with(&format!("subprotocols = {subprotocols}")).map(|api| api.subprotocols)
    }

    #[test]
    fn the_own_id_of_an_api_is_no_further_one() {
        let push_ids = |text: &str| read_with(&format!("push_ids = {text}")).map(|it| it.push_ids);
        assert_eq!(push_ids(r#"["b", "c"]"#), Ok(vec!["b".to_owned(), "c".to_owned()]));
        let problem = push_ids(r#"["b", "a"]"#).unwrap_err();
        let expected = "api[0].push_ids: has \"a\", the id of this api, by which functions push to it \
                        already; use the other ids alone";
        assert!(problem.contains(expected), "{problem}");
    }

    #[test]
    fn subprotocols_are_names_that_a_client_can_offer() {
        assert_eq!(read("[]"), Ok(Vec::new()));
        assert_eq!(read(r#"["chat", "v2.chat!"]"#), Ok(vec!["chat".into(), "v2.chat!".into()]));
        let many = format!("[{}]", r#""a", "#.repeat(101));
        for bad in [r#""chat""#, r#"["a b"]"#, r#"["a,b"]"#, r#"[""]"#, r#"["é"]"#, "[1]", &many] {
            let problem = read(bad).unwrap_err();
            assert!(
                problem.contains("subprotocols") && problem.contains("use a list"),
                "{problem}"
            );
        }
    }
}
