//! What `functions.toml` says, checked. The one place that knows its keys and defaults.
//!
//! Plain values: nothing is started here. Functions in Rust check their environment without being
//! started, so that its problems are reported together with all others.

mod cloud;
mod drain;
mod environment;
mod function;
mod known;
mod language;
mod push;
mod runtime;
mod rust;
mod secret;
mod subprocess;
mod surroundings;
mod user;
mod variables;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use daemon::{
    browser::PageSettings,
    check::{self, Transport},
    credentials::AccessSettings,
    reload::{FromFile, Trigger},
    settings::{
        Document, InlineSecrets, Key, Origins, Problem, Section, SettingsError, address, bytes,
        count, describe, flag,
    },
    telemetry::LogSettings,
    tls::{OutboundTlsSettings, Tls, TlsSettings},
};
use functions::Catalog;

pub use self::{
    cloud::OwnServers, drain::DrainSettings, function::FunctionSettings, known::KnownFunctions,
    secret::SecretPair,
};
pub(crate) use self::{
    cloud::{Cloud, CloudNames, NamedPlace, Outside},
    environment::EnvironmentTexts,
    language::Language,
    runtime::RuntimeSettings,
    rust::RustSettings,
    subprocess::{Flaw, PATH, SubprocessSettings, misfit},
    user::User,
};
use self::{surroundings::Surroundings, variables::Variables};

/// Environment variables that begin with this and `__` override the file.
pub const PREFIX: &str = "LONGHOLD_FUNCTION_RUNNER";
/// The default of `listen.internal`.
const INTERNAL: &str = "127.0.0.1:9002";

/// All settings of the runner.
#[derive(Debug)]
pub struct Settings {
    /// `listen.internal`: invocations and health.
    pub internal: SocketAddr,
    /// `listen.internal_hosts` and `listen.internal_origins`
    pub internal_pages: PageSettings,
    /// `[access]`
    pub access: AccessSettings,
    /// `[internal_tls]`: of the listener.
    pub internal_tls: TlsSettings,
    /// `[outbound_tls]`: of pushes to the gateway.
    pub outbound_tls: OutboundTlsSettings,
    /// `limits.max_invocations`: how many invocations may run at once, of all functions. The next
    /// one is answered with 429.
    pub max_invocations: usize,
    /// `limits.body_memory`: bytes of the bodies of all invocations that are being read, together.
    /// The cloud API has half of that beside.
    pub body_memory: usize,
    /// `limits.reply_memory`: bytes of all replies that are being read from child processes,
    /// together.
    pub reply_memory: usize,
    /// `[drain]`
    pub drain: DrainSettings,
    /// `[cloud]`, of which each function has its own copy.
    pub(crate) cloud: Cloud,
    /// `invoke.secret_id` and `invoke.secret_key`: the pair that requests of the cloud API have to
    /// be signed with. Without one they are refused.
    pub secret: Option<SecretPair>,
    /// Whether the cloud API takes any signature of a caller on this machine if there is no pair.
    /// No key of the file: a process that is the gateway too trusts this machine if its pushes do.
    pub trusts_this_machine: bool,
    /// `reload.watch`: whether this file and the folders of code are read again when they change.
    pub watch: bool,
    /// `[log]`
    pub log: LogSettings,
    /// `[functions.<name>]`, in the order of their names.
    pub functions: Vec<FunctionSettings>,
    /// The files with secrets. They are read again when they change.
    secret_files: Vec<PathBuf>,
    /// The secrets that stand in the file itself.
    inline_secrets: InlineSecrets,
    /// Where each setting comes from, for problems that are found later.
    pub(crate) origins: Origins,
    /// Why the settings were read again, if they were.
    pub(crate) trigger: Trigger,
}

impl Settings {
    /// Reads `text`, the content of `file`, with `variables` (those of the process) laid over it.
    /// Handlers of functions in Rust are looked up in `catalog`. Starts nothing.
    ///
    /// `extra` has values for `${name}` that override those of `[variables]`: a process that is the
    /// gateway too knows the address for pushes.
    ///
    /// The error has all problems, also those that functions find in their environment.
    pub fn parse(
        file: &Path,
        text: &str,
        variables: &BTreeMap<String, String>,
        extra: &BTreeMap<String, String>,
        catalog: &Catalog,
    ) -> Result<Self, SettingsError> {
        Self::parse_again(file, text, variables, extra, catalog, &KnownFunctions::default())
    }

    /// The same while `known` functions are in use. What is wrong with the code of a function whose
    /// settings are as they were is no error here, since the function may have changed its code
    /// itself. It is reported when the settings are taken into use.
    pub fn parse_again(
        file: &Path,
        text: &str,
        variables: &BTreeMap<String, String>,
        extra: &BTreeMap<String, String>,
        catalog: &Catalog,
        known: &KnownFunctions,
    ) -> Result<Self, SettingsError> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let path = variables.get("PATH").map(String::as_str);
        Document::parse(file, text, PREFIX, variables)?
            .read(|root| Some(Self::read(root, extra, catalog, folder, path, known)))
    }

    /// The keys of `functions.toml`.
    pub fn keys() -> Vec<Key> {
        let (extra, catalog) = (BTreeMap::new(), Catalog::built_in());
        let known = KnownFunctions::default();
        describe(|root| Self::read(root, &extra, &catalog, Path::new(""), None, &known))
    }

    fn read(
        root: &mut Section,
        extra: &BTreeMap<String, String>,
        catalog: &Catalog,
        folder: &Path,
        path: Option<&str>,
        known: &KnownFunctions,
    ) -> Self {
        let has_cloud = root.has("cloud");
        let variables = Variables::read(root, extra, has_cloud);
        let cloud = Cloud::read(root, folder);
        let around =
            Surroundings { variables: &variables, cloud: &cloud, catalog, folder, path, known };
        let (internal, internal_pages) = read_listen(root);
        let mut limits = root.section("limits");
        let mut settings = Self {
            internal,
            internal_pages,
            access: AccessSettings::read(&mut root.section("access")),
            internal_tls: TlsSettings::read_internal(&mut root.section("internal_tls"), folder),
            outbound_tls: OutboundTlsSettings::read(&mut root.section("outbound_tls"), folder),
            max_invocations: limits.read_or("max_invocations", &count(1..=1_000_000), "10000"),
            body_memory: limits.read_or("body_memory", &bytes(BODY_MEMORY), "64MiB"),
            reply_memory: limits.read_or("reply_memory", &bytes(REPLY_MEMORY), "128MiB"),
            drain: DrainSettings::read(&mut root.section("drain")),
            cloud: cloud.clone(),
            secret: SecretPair::read(&mut root.section("invoke"), folder),
            trusts_this_machine: false,
            watch: root.section("reload").read_or("watch", &flag(), "true"),
            log: LogSettings::read(&mut root.section("log")),
            functions: function::read_all(root, &around),
            // Last, when all keys have been read.
            secret_files: root.secret_files(),
            inline_secrets: root.inline_secrets(),
            origins: root.origins(),
            trigger: Trigger::Change,
        };
        for function in &mut settings.functions {
            function.runtime.note_secret_files(&settings.secret_files);
        }
        settings
    }
}

impl Settings {
    /// `[cloud.role]`: the pair of functions with a role, if there is one.
    pub fn role(&self) -> Option<&SecretPair> {
        self.cloud.role.as_ref()
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

    /// Has the cloud's names lead to `own`, the servers of the same process, if `[cloud]` is there
    /// and has no others. `apis_of` has the APIs that name a function:
    /// if it is one, and the function has no `push_to`, what the function pushes to addresses of
    /// the cloud is for this API.
    pub fn complete_cloud(&mut self, own: &OwnServers, apis_of: impl Fn(&str) -> Vec<String>) {
        self.cloud.complete(own);
        for function in &mut self.functions {
            function.complete_cloud(own, &apis_of);
        }
    }

    /// The keys that cannot change while the runner runs, and in which `other` differs.
    pub(crate) fn fixed_keys_that_differ(&self, other: &Self) -> Vec<&'static str> {
        // All fields, so that a new one is thought of here.
        let Self {
            internal,
            internal_pages,
            access,
            internal_tls,
            outbound_tls,
            max_invocations,
            body_memory,
            reply_memory,
            drain,
            watch,
            log,
            cloud: _,
            secret: _,
            trusts_this_machine: _,
            functions: _,
            secret_files: _,
            inline_secrets: _,
            origins: _,
            trigger: _,
        } = self;
        let keys = [
            ("listen.internal", *internal == other.internal),
            ("[listen]", *internal_pages == other.internal_pages),
            ("[access]", *access == other.access),
            ("[internal_tls]", *internal_tls == other.internal_tls),
            ("[outbound_tls]", *outbound_tls == other.outbound_tls),
            ("limits.max_invocations", *max_invocations == other.max_invocations),
            ("limits.body_memory", *body_memory == other.body_memory),
            ("limits.reply_memory", *reply_memory == other.reply_memory),
            ("[drain]", *drain == other.drain),
            ("reload.watch", *watch == other.watch),
            ("[log]", *log == other.log),
        ];
        keys.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
}

impl FromFile for Settings {
    fn folders(&self) -> Vec<PathBuf> {
        let folders = self.functions.iter().filter_map(|function| function.runtime.folder());
        folders.map(Path::to_owned).chain(self.secret_files.iter().cloned()).collect()
    }

    fn sent_after(&mut self, trigger: Trigger) {
        self.trigger = trigger;
    }

    fn inline_secrets(&self) -> InlineSecrets {
        self.inline_secrets.clone()
    }

    fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }
}

/// At least the largest request, so that it can be read.
const BODY_MEMORY: RangeInclusive<usize> = 18 << 20..=64 << 30;
/// At least the largest reply.
const REPLY_MEMORY: RangeInclusive<usize> = 6 << 20..=64 << 30;

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
