//! What `gateway.toml` says, checked. The one place that knows its keys and defaults.

mod api;
mod drain;
mod journal;
mod paths;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use daemon::{
    reload::FromFile,
    settings::{
        Document, Section, SettingsError, address, bytes, count, duration, flag, path, url,
    },
    telemetry::LogSettings,
};
use url::Url;

pub(crate) use self::paths::best_fit;
pub use self::{
    api::{ApiSettings, FunctionAddress},
    drain::DrainSettings,
    journal::{JournalSettings, JournalSync},
    paths::{PathParameters, PathPattern},
};

/// Environment variables that begin with this and `__` override the file.
pub const PREFIX: &str = "LONGHOLD_GATEWAY";

/// All settings of the gateway.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `listen.public`: WebSocket clients and static pages. Default 127.0.0.1:9000.
    pub public: SocketAddr,
    /// `listen.internal`: reverse push and health. Default 127.0.0.1:9001.
    pub internal: SocketAddr,
    /// `runner.url`: where function names lead. Default <http://127.0.0.1:9002>.
    pub runner: Url,
    /// `static.dir`: a folder of pages, relative to the file. Default none.
    pub pages: Option<PathBuf>,
    /// `node`: the tag of this gateway in its connection ids, 0 to 16777215. Default 0.
    pub node: u32,
    /// `[connection]`
    pub connection: ConnectionSettings,
    /// `[push]`
    pub push: PushSettings,
    /// `[cleanup]`
    pub cleanup: CleanupSettings,
    /// `[journal]`
    pub journal: JournalSettings,
    /// `[drain]`
    pub drain: DrainSettings,
    /// `reload.watch`: whether this file is read again when it has changed. Default true.
    pub watch: bool,
    /// `[log]`
    pub log: LogSettings,
    /// `[[api]]`
    pub apis: Vec<ApiSettings>,
}

/// How each connection is treated.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionSettings {
    /// `max`: connections at once; the next one is refused with 503. Default 15000.
    pub max: usize,
    /// `ping_interval`: a quiet client is pinged this often. Default 25s.
    pub ping_interval: Duration,
    /// `pong_timeout`: a client that then sends nothing for this long is lost. Default 20s.
    pub pong_timeout: Duration,
    /// `write_timeout`: a client that takes nothing for this long is closed. Default 30s.
    pub write_timeout: Duration,
    /// `close_timeout`: how long the client has to answer a Close. Default 5s.
    pub close_timeout: Duration,
    /// `receive_queue`: bytes of messages that wait for the function before the client is held
    /// back. Default 64KiB.
    pub receive_queue: usize,
    /// `send_queue`: bytes of pushed messages that wait for the client. Default 1MiB.
    pub send_queue: usize,
}

/// How reverse pushes are treated.
#[derive(Debug, Clone, PartialEq)]
pub struct PushSettings {
    /// `timeout`: a message that could not be begun to be written by then is taken back, and the
    /// pusher told 429. Shorter than the timeout of the functions that push. Default 1s.
    pub timeout: Duration,
    /// `max_body`: bytes of a request body. Default 8MiB.
    pub max_body: usize,
    /// `memory`: bytes of all bodies that are being read; the next one is answered 429. Default
    /// 256MiB, or `max_body` if that is more.
    pub memory: usize,
}

/// How cleanups are delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct CleanupSettings {
    /// `concurrency`: cleanup calls at once, of each API. Default 64.
    pub concurrency: usize,
    /// `queue`: cleanups that are kept in memory, of each API; the others wait in the journal.
    /// Default 10000.
    pub queue: usize,
    /// `max_age`: a cleanup that did not succeed for so long is given up. Default 24h.
    pub max_age: Duration,
}

impl Settings {
    /// Reads `text`, the content of `file`, with `variables` laid over it.
    pub fn parse(
        file: &Path,
        text: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, SettingsError> {
        let base = file.parent().unwrap_or(Path::new("")).to_owned();
        Document::parse(file, text, PREFIX, variables)?.read(|root| Self::read(root, &base))
    }

    fn read(root: &mut Section, base: &Path) -> Option<Self> {
        let mut listen = root.section("listen");
        let mut runner = root.section("runner");
        let mut pages = root.section("static");
        let settings = Self {
            public: listen.read("public", &address()).unwrap_or(loopback(9000)),
            internal: listen.read("internal", &address()).unwrap_or(loopback(9001)),
            runner: runner.read("url", &url()).unwrap_or_else(default_runner),
            pages: pages.read("dir", &path(base)),
            node: read_node(root),
            connection: ConnectionSettings::read(&mut root.section("connection")),
            push: PushSettings::read(&mut root.section("push")),
            cleanup: CleanupSettings::read(&mut root.section("cleanup")),
            journal: JournalSettings::read(&mut root.section("journal")),
            drain: DrainSettings::read(&mut root.section("drain")),
            watch: root.section("reload").read("watch", &flag()).unwrap_or(true),
            log: LogSettings::read(&mut root.section("log")),
            apis: api::read_all(root),
        };
        settings.check_sizes(root);
        if let Some(dir) = settings.pages.as_ref().filter(|dir| !dir.is_dir()) {
            pages.problem("dir", format!("{} is not a folder", dir.display()));
        }
        Some(settings)
    }

    /// The keys beside `[[api]]`, in which `other` differs.
    pub(crate) fn fixed_keys_that_differ(&self, other: &Self) -> Vec<&'static str> {
        let keys = [
            ("listen.public", self.public == other.public),
            ("listen.internal", self.internal == other.internal),
            ("runner.url", self.runner == other.runner),
            ("static.dir", self.pages == other.pages),
            ("node", self.node == other.node),
            ("[connection]", self.connection == other.connection),
            ("[push]", self.push == other.push),
            ("[cleanup]", self.cleanup == other.cleanup),
            ("[journal]", self.journal == other.journal),
            ("[drain]", self.drain == other.drain),
            ("reload.watch", self.watch == other.watch),
            ("[log]", self.log == other.log),
        ];
        keys.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }

    fn check_sizes(&self, root: &Section) {
        for problem in self.push.problems_with(&self.apis) {
            root.problem("push.max_body", problem);
        }
    }
}

impl FromFile for Settings {}

/// Room for all of a push but its data.
const PUSH_OVERHEAD: usize = 1 << 10;

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl ConnectionSettings {
    fn read(section: &mut Section) -> Self {
        let time = duration(MILLISECOND..=DAY);
        let queue = bytes(1..=1 << 30);
        let seconds = Duration::from_secs;
        Self {
            max: read_count(section, "max", 1..=10_000_000).unwrap_or(15_000),
            ping_interval: section.read("ping_interval", &time).unwrap_or(seconds(25)),
            pong_timeout: section.read("pong_timeout", &time).unwrap_or(seconds(20)),
            write_timeout: section.read("write_timeout", &time).unwrap_or(seconds(30)),
            close_timeout: section.read("close_timeout", &time).unwrap_or(seconds(5)),
            receive_queue: section.read("receive_queue", &queue).unwrap_or(64 << 10),
            send_queue: section.read("send_queue", &queue).unwrap_or(1 << 20),
        }
    }
}

impl PushSettings {
    /// What a client may send must fit into the push that sends it on.
    pub(crate) fn problems_with(&self, apis: &[ApiSettings]) -> Vec<String> {
        let max_body = self.max_body;
        let needs = |api: &ApiSettings| api.max_message.div_ceil(3) * 4 + PUSH_OVERHEAD;
        let too_large = apis.iter().filter(|api| needs(api) > max_body);
        too_large
            .map(|api| {
                let (id, needed) = (&api.id, needs(api));
                format!("is {max_body}; api {id:?} with its max_message needs {needed}")
            })
            .collect()
    }

    fn read(section: &mut Section) -> Self {
        let timeout = duration(MILLISECOND..=HOUR);
        let max_body = section.read("max_body", &bytes(1..=1 << 30)).unwrap_or(8 << 20);
        let memory = section.read("memory", &bytes(1..=1 << 36));
        let settings = Self {
            timeout: section.read("timeout", &timeout).unwrap_or(Duration::from_secs(1)),
            max_body,
            memory: memory.unwrap_or(max_body.max(256 << 20)),
        };
        if settings.memory < max_body {
            let memory = settings.memory;
            section.problem("memory", format!("is {memory}; one body may have {max_body}"));
        }
        settings
    }
}

impl CleanupSettings {
    fn read(section: &mut Section) -> Self {
        let max_age = duration(MILLISECOND..=30 * DAY);
        Self {
            concurrency: read_count(section, "concurrency", 1..=10_000).unwrap_or(64),
            queue: read_count(section, "queue", 1..=1_000_000).unwrap_or(10_000),
            max_age: section.read("max_age", &max_age).unwrap_or(DAY),
        }
    }
}

fn read_count(
    section: &mut Section,
    key: &'static str,
    range: std::ops::RangeInclusive<u64>,
) -> Option<usize> {
    section.read(key, &count(range)).and_then(|count| usize::try_from(count).ok())
}

fn read_node(root: &mut Section) -> u32 {
    let tag = root.read("node", &count(0..=0x00ff_ffff));
    tag.and_then(|tag| u32::try_from(tag).ok()).unwrap_or(0)
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn default_runner() -> Url {
    Url::parse("http://127.0.0.1:9002").expect("the text is constant")
}
