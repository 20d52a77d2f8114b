//! The settings of `gateway.toml`. No other module knows its keys, ranges and defaults.

mod api;
mod auth;
mod cleanup;
mod connection;
mod drain;
mod journal;
mod paths;
mod push;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use daemon::{
    browser::{OwnSite, PageSettings},
    credentials::{AccessSettings, is_loopback},
    proxies::ProxySettings,
    reload::FromFile,
    settings::{
        Document, InlineSecrets, Key, Origins, Problem, Section, SettingsError, address, count,
        describe, flag, nearest, path, url,
    },
    telemetry::LogSettings,
    tls::{OutboundTlsSettings, TlsSettings},
};
use url::Url;

pub use self::{
    api::{ApiSettings, FunctionAddress},
    auth::{AuthSettings, KeyPair, TokenSettings},
    cleanup::CleanupSettings,
    connection::ConnectionSettings,
    drain::DrainSettings,
    journal::{JournalSettings, JournalSync},
    paths::{PathParameters, PathPattern},
    push::{PushAuth, PushSettings, PushToken},
};
pub(crate) use self::{
    auth::TokenKeySource,
    paths::{PathMatch, best_fit},
};

/// Environment variables that begin with this and `__` override the file.
pub const PREFIX: &str = "LONGHOLD_GATEWAY";

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const GIB: usize = 1 << 30;

/// All settings of the gateway.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `listen.public`: WebSocket clients and static pages.
    pub public: SocketAddr,
    /// `listen.internal`: pushes, health, and cleanups that were given up.
    pub internal: SocketAddr,
    /// `listen.internal_hosts` and `listen.internal_origins`
    pub internal_pages: PageSettings,
    /// `[access]`
    pub access: AccessSettings,
    /// `listen.public_hosts`
    pub own_site: OwnSite,
    /// `[tls]`: of the public listener.
    pub tls: TlsSettings,
    /// `[internal_tls]`: of the internal listener.
    pub internal_tls: TlsSettings,
    /// `[outbound_tls]`: of what the gateway calls.
    pub outbound_tls: OutboundTlsSettings,
    /// `[proxies]`: in front of the public listener.
    pub proxies: ProxySettings,
    /// `runner.url`: the base URL of functions that are given by name.
    pub runner: Url,
    /// `static.dir`: a folder of pages, relative to the file.
    pub pages: Option<PathBuf>,
    /// `node`: the tag of this gateway in its connection ids.
    pub node: u32,
    /// `[connection]`
    pub connection: ConnectionSettings,
    /// `[push]`
    pub push: PushSettings,
    /// `[[push.tokens]]`
    pub push_tokens: Vec<PushToken>,
    /// `[cleanup]`
    pub cleanup: CleanupSettings,
    /// `[journal]`
    pub journal: JournalSettings,
    /// `[drain]`
    pub drain: DrainSettings,
    /// `reload.watch`: whether this file is read again when it has changed.
    pub watch: bool,
    /// `[log]`
    pub log: LogSettings,
    /// `[[api]]`
    pub apis: Vec<ApiSettings>,
    /// Files with secrets and keys, which are a part of the settings.
    secret_files: Vec<PathBuf>,
    /// The secrets that stand in the file itself.
    inline_secrets: InlineSecrets,
    /// Where each setting comes from, for problems that are found later.
    pub(crate) origins: Origins,
}

impl Settings {
    /// Reads `text`, the content of `file`, with `variables` laid over it.
    pub fn parse(
        file: &Path,
        text: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, SettingsError> {
        let base = file.parent().unwrap_or(Path::new(""));
        Document::parse(file, text, PREFIX, variables)?.read(|root| Some(Self::read(root, base)))
    }

    fn read(root: &mut Section, base: &Path) -> Self {
        let mut listen = root.section("listen");
        let mut pages = root.section("static");
        let mut push = root.section("push");
        let settings = Self {
            public: listen.read_or("public", &address(), "127.0.0.1:9000"),
            internal: listen.read_or("internal", &address(), "127.0.0.1:9001"),
            internal_pages: PageSettings::read(&mut listen),
            access: AccessSettings::read(&mut root.section("access")),
            own_site: OwnSite::read(&mut listen),
            tls: TlsSettings::read(&mut root.section("tls"), base),
            internal_tls: TlsSettings::read_internal(&mut root.section("internal_tls"), base),
            outbound_tls: OutboundTlsSettings::read(&mut root.section("outbound_tls"), base),
            proxies: ProxySettings::read(&mut root.section("proxies")),
            runner: root.section("runner").read_or("url", &url(), "http://127.0.0.1:9002"),
            pages: pages.read("dir", &path(base)),
            node: root.read_or("node", &count(0..=0x00ff_ffff), "0"),
            connection: ConnectionSettings::read(&mut root.section("connection")),
            push: PushSettings::read(&mut push),
            push_tokens: PushToken::read_all(&mut push, base),
            cleanup: CleanupSettings::read(&mut root.section("cleanup")),
            journal: JournalSettings::read(&mut root.section("journal")),
            drain: DrainSettings::read(&mut root.section("drain")),
            watch: root.section("reload").read_or("watch", &flag(), "true"),
            log: LogSettings::read(&mut root.section("log")),
            apis: api::read_all(root, base),
            // Last, when all keys have been read.
            secret_files: root.secret_files(),
            inline_secrets: root.inline_secrets(),
            origins: root.origins(),
        };
        for problem in settings.push.problems_with(&settings.apis) {
            root.problem("push.max_body", problem);
        }
        for (number, problem) in settings.problems_of_tokens() {
            push.problem(&format!("tokens[{number}].apis"), problem);
        }
        if let Some(problem) = settings.problem_of_auth() {
            push.problem("auth", problem);
        }
        if let Some(problem) = settings.connection.problem_with(&settings.apis, &settings.apis) {
            root.problem("connection.receive_memory", problem);
        }
        if let Some(dir) = settings.pages.as_ref().filter(|dir| !dir.is_dir()) {
            pages.problem("dir", format!("{} is not a folder", dir.display()));
        }
        settings
    }

    /// The APIs that tokens name and that are not there, each with the number of its token.
    fn problems_of_tokens(&self) -> Vec<(usize, String)> {
        let ids = self.apis.iter().flat_map(|api| [&api.id].into_iter().chain(&api.push_ids));
        let ids: Vec<_> = ids.map(String::as_str).collect();
        let tokens = self.push_tokens.iter().enumerate();
        let named =
            tokens.flat_map(|(number, token)| token.apis.iter().map(move |id| (number, id)));
        let unknown = named.filter(|(_, id)| !ids.contains(&id.as_str()));
        let what = |id: &str| format!("{id:?} is not the id of an api{}", nearest(id, &ids));
        unknown.map(|(number, id)| (number, what(id))).collect()
    }

    /// What is wrong with `push.auth`.
    fn problem_of_auth(&self) -> Option<String> {
        let is_reached_from_afar = !is_loopback(self.internal) && !self.access.is_insecure;
        let address = self.internal;
        (self.push.trusts_this_machine() && is_reached_from_afar).then(|| {
            format!(
                "is \"loopback\", and listen.internal is {address}, which is not on loopback; use \
                 \"token\", or an address such as 127.0.0.1:9001"
            )
        })
    }

    /// The keys of `gateway.toml`.
    pub fn keys() -> Vec<Key> {
        describe(|root| Self::read(root, Path::new("")))
    }

    /// Where the value at `key` is set: a variable, or the file and the key.
    pub fn place(&self, key: &str) -> String {
        self.origins.place(key)
    }

    /// A problem with the value at `key`.
    pub fn problem(&self, key: &str, what: impl Into<String>) -> Problem {
        self.origins.problem(key, what)
    }

    /// The functions of the runner that the APIs name, each after the key that names it.
    pub fn named_functions(&self) -> Vec<(String, String)> {
        let named = |(number, api): (usize, &ApiSettings)| {
            let functions = [
                ("register", api.register.as_ref()),
                ("transmit", Some(&api.transmit)),
                ("cleanup", api.cleanup.as_ref()),
            ];
            functions.map(|(key, address)| match address? {
                FunctionAddress::Name(name) => Some((format!("api[{number}].{key}"), name.clone())),
                FunctionAddress::Url(_) => None,
            })
        };
        self.apis.iter().enumerate().flat_map(named).flatten().collect()
    }

    /// The functions that APIs name, each with the id of the API.
    pub fn apis_of_functions(&self) -> Vec<(String, String)> {
        let named = |api: &ApiSettings| {
            let id = api.id.clone();
            let functions = [api.register.as_ref(), Some(&api.transmit), api.cleanup.as_ref()];
            functions.map(|address| match address? {
                FunctionAddress::Name(name) => Some((name.clone(), id.clone())),
                FunctionAddress::Url(_) => None,
            })
        };
        self.apis.iter().flat_map(named).flatten().collect()
    }

    /// The keys beside `[[api]]`, in which `other` differs.
    pub(crate) fn fixed_keys_that_differ(&self, other: &Self) -> Vec<&'static str> {
        // All fields, so that a new one is thought of here.
        let Self {
            public,
            internal,
            internal_pages,
            access,
            own_site,
            tls,
            internal_tls,
            outbound_tls,
            proxies,
            runner,
            pages,
            node,
            connection,
            push,
            cleanup,
            journal,
            drain,
            watch,
            log,
            push_tokens: _,
            apis: _,
            secret_files: _,
            inline_secrets: _,
            origins: _,
        } = self;
        let keys = [
            ("listen.public", *public == other.public),
            ("listen.internal", *internal == other.internal),
            ("[listen]", (internal_pages, own_site) == (&other.internal_pages, &other.own_site)),
            ("[access]", *access == other.access),
            ("[tls]", *tls == other.tls),
            ("[internal_tls]", *internal_tls == other.internal_tls),
            ("[outbound_tls]", *outbound_tls == other.outbound_tls),
            ("[proxies]", *proxies == other.proxies),
            ("runner.url", *runner == other.runner),
            ("static.dir", *pages == other.pages),
            ("node", *node == other.node),
            ("[connection]", *connection == other.connection),
            ("[push]", *push == other.push),
            ("[cleanup]", *cleanup == other.cleanup),
            ("[journal]", *journal == other.journal),
            ("[drain]", *drain == other.drain),
            ("reload.watch", *watch == other.watch),
            ("[log]", *log == other.log),
        ];
        keys.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
}

impl FromFile for Settings {
    fn folders(&self) -> Vec<PathBuf> {
        self.secret_files.clone()
    }

    fn inline_secrets(&self) -> InlineSecrets {
        self.inline_secrets.clone()
    }

    fn is_empty(&self) -> bool {
        self.apis.is_empty()
    }
}
