//! What `cos.toml` says, checked. The one place that knows its keys and defaults.
//!
//! Plain values: nothing is opened here.

mod bucket;
mod credentials;
mod store;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use daemon::{
    browser::PageSettings,
    check::{self, Transport},
    credentials::{DerivedPair, SERVICE_KEY, TokenSource, is_loopback},
    reload::FromFile,
    settings::{
        Document, InlineSecrets, Key, Origins, Problem, Section, SettingsError, address, describe,
        flag, path,
    },
    telemetry::LogSettings,
    tls::{Tls, TlsSettings},
};

pub use self::{
    bucket::BucketSettings,
    credentials::Credential,
    store::{StoreSettings, StoreSync},
};

/// Environment variables that begin with this and `__` override the file.
pub const PREFIX: &str = "LONGHOLD_COS";
/// The default of `listen.internal`.
const INTERNAL: &str = "127.0.0.1:9003";

/// All settings of the object store.
#[derive(Debug)]
pub struct Settings {
    /// `listen.internal`: the store and health.
    pub internal: SocketAddr,
    /// `listen.internal_hosts` and `listen.internal_origins`
    pub internal_pages: PageSettings,
    /// `[internal_tls]`: of the listener.
    pub internal_tls: TlsSettings,
    /// `access.service_file`: the token of the services. The store asks for signatures then, and
    /// takes those with the pair that follows from it, which functions with a role have.
    pub service: Option<TokenSource>,
    /// `access.insecure`: requests need no signature although the listener is not on loopback.
    pub is_insecure: bool,
    /// `[store]`
    pub store: StoreSettings,
    /// `[[credentials]]`: the pairs that requests may be signed with. Without one, requests need no
    /// signature.
    pub credentials: Vec<Credential>,
    /// `reload.watch`: whether the file is read again when it has changed.
    pub watch: bool,
    /// `[log]`
    pub log: LogSettings,
    /// The files with secrets. They are read again when they change.
    secret_files: Vec<PathBuf>,
    /// The secrets that stand in the file itself.
    inline_secrets: InlineSecrets,
    /// Where each setting comes from, for problems that are found later.
    origins: Origins,
}

impl Settings {
    /// Reads `text`, the content of `file`, with `variables` laid over it. Opens nothing. The error
    /// has all problems.
    pub fn parse(
        file: &Path,
        text: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, SettingsError> {
        let base = file.parent().unwrap_or(Path::new(""));
        Document::parse(file, text, PREFIX, variables)?.read(|root| Some(Self::read(root, base)))
    }

    /// The keys of `cos.toml`.
    pub fn keys() -> Vec<Key> {
        describe(|root| Self::read(root, Path::new("")))
    }

    fn read(root: &mut Section, base: &Path) -> Self {
        let (internal, internal_pages) = read_listen(root);
        let mut access = root.section("access");
        let service = access.read("service_file", &path(Path::new("")));
        let is_insecure = access.read_or("insecure", &flag(), "false");
        drop(access);
        let settings = Self {
            internal,
            internal_pages,
            internal_tls: TlsSettings::read_internal(&mut root.section("internal_tls"), base),
            service: service.map(TokenSource::File),
            is_insecure,
            store: StoreSettings::read(&mut root.section("store"), base),
            credentials: credentials::read_all(root, base),
            watch: root.section("reload").read_or("watch", &flag(), "true"),
            log: LogSettings::read(&mut root.section("log")),
            // Last, when all keys have been read.
            secret_files: root.secret_files(),
            inline_secrets: root.inline_secrets(),
            origins: root.origins(),
        };
        if !settings.asks_for_signatures() && !settings.is_insecure && !is_loopback(internal) {
            root.problem(
                "credentials",
                "is missing, and listen.internal is reached from other machines, so that anybody \
                 could read and write all objects; add [[credentials]] with secret_id and \
                 secret_key_file, or access.service_file, or say access.insecure = true",
            );
        }
        settings
    }

    /// Whether requests have to be signed.
    pub(crate) fn asks_for_signatures(&self) -> bool {
        !self.credentials.is_empty() || self.service.is_some()
    }

    /// The pair of functions with a role, if the services share a token. Its file is made if it is
    /// not there.
    pub fn open_role(&self) -> Result<Option<Credential>, SettingsError> {
        let token = self.service.as_ref().map(|it| it.open(SERVICE_KEY, &self.origins));
        let token = token.transpose().map_err(|problem| SettingsError(vec![problem]))?;
        Ok(token.map(|token| Credential::derived(DerivedPair::of(&token))))
    }

    /// Where the value at `key` is set: a variable, or the file and the key.
    pub fn place(&self, key: &str) -> String {
        self.origins.place(key)
    }

    /// Reads the certificates of the listener. None if it speaks no TLS.
    pub fn open_tls(&self) -> Result<Option<Tls>, SettingsError> {
        Tls::open(&self.internal_tls, "internal_tls", &self.origins)
    }

    /// A problem with the value at `key`.
    pub fn problem(&self, key: &str, what: impl Into<String>) -> Problem {
        self.origins.problem(key, what)
    }

    /// The keys that cannot change while the store runs, and in which `other` differs.
    pub(crate) fn fixed_keys_that_differ(&self, other: &Self) -> Vec<&'static str> {
        // All fields, so that a new one is thought of here.
        let Self {
            internal,
            internal_pages,
            internal_tls,
            service,
            is_insecure,
            store,
            credentials: _,
            watch,
            log,
            secret_files: _,
            inline_secrets: _,
            origins: _,
        } = self;
        let keys = [
            ("listen.internal", *internal == other.internal),
            ("[listen]", *internal_pages == other.internal_pages),
            ("[internal_tls]", *internal_tls == other.internal_tls),
            (SERVICE_KEY, *service == other.service),
            ("access.insecure", *is_insecure == other.is_insecure),
            ("[store]", store.is_same_but_for_buckets(&other.store)),
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
        false
    }
}

/// Reads where the listener is and what it speaks, for the health check. Problems of other settings
/// are no errors here.
pub fn internal_listener(
    file: &Path,
    text: &str,
    variables: &BTreeMap<String, String>,
) -> Result<(SocketAddr, Transport), SettingsError> {
    check::internal_listener(Document::parse(file, text, PREFIX, variables)?, INTERNAL)
}

fn read_listen(root: &mut Section) -> (SocketAddr, PageSettings) {
    let mut listen = root.section("listen");
    let internal = listen.read_or("internal", &address(), INTERNAL);
    (internal, PageSettings::read(&mut listen))
}
