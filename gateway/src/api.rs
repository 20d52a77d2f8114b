//! The APIs at run time: their settings, with the addresses of their functions. The settings of an
//! API can change while it has connections.

mod apis;
mod push_target;

use std::sync::{
    Arc, Mutex, OnceLock, RwLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::Semaphore;
use url::Url;

pub(crate) use self::{
    apis::{Apis, Changes},
    push_target::PushTarget,
};
use crate::settings::{ApiSettings, FunctionAddress, PathPattern};

/// One API, for as long as the process runs.
#[derive(Debug)]
pub(crate) struct Api {
    id: Arc<str>,
    config: RwLock<Arc<ApiConfig>>,
    /// How many connections are being opened.
    opening: AtomicUsize,
    transmits: Mutex<Transmits>,
    /// Whether the log says that clients offer subprotocols and get none.
    no_subprotocol: AtomicBool,
    /// Whether the log says that a client has closed with a code that it must not send.
    wrong_close_code: AtomicBool,
    /// What received messages of this API may take: large ones and small ones.
    received: OnceLock<[Arc<Semaphore>; 2]>,
}

/// One permit for each call of transmit, and how many there are.
#[derive(Debug, Default)]
struct Transmits {
    count: usize,
    permits: Option<Arc<Semaphore>>,
}

/// A connection that is being opened, which counts for `register_concurrency` of its API.
#[derive(Debug)]
pub(crate) struct OpeningPermit(Arc<Api>);

/// The settings of an API at one moment.
#[derive(Debug, PartialEq)]
pub(crate) struct ApiConfig {
    pub(crate) settings: ApiSettings,
    pub(crate) dialect: Dialect,
    /// The configured paths, to be shared by connections.
    pub(crate) paths: Vec<Arc<str>>,
    /// The stage of the paths that name none.
    stage: &'static str,
    pub(crate) register: Option<Url>,
    pub(crate) transmit: Url,
    pub(crate) cleanup: Option<Url>,
}

/// The cloud whose events and answers an API has. `dialect/` knows what they look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Tencent,
}

impl Dialect {
    /// The word for the dialect in the journal.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tencent => "tencent",
        }
    }

    /// The dialect with this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Tencent].into_iter().find(|dialect| dialect.as_str() == word)
    }
}

impl Api {
    fn new(config: ApiConfig) -> Self {
        Self {
            id: config.settings.id.as_str().into(),
            config: RwLock::new(Arc::new(config)),
            opening: AtomicUsize::new(0),
            transmits: Mutex::default(),
            no_subprotocol: AtomicBool::new(false),
            wrong_close_code: AtomicBool::new(false),
            received: OnceLock::new(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The id, without a copy of its text.
    pub(crate) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// The settings as they are now. A caller that keeps them misses later changes.
    pub(crate) fn config(&self) -> Arc<ApiConfig> {
        Arc::clone(&self.config.read().expect("no code panics while it holds this lock"))
    }

    /// Counts a connection that is being opened. None if there are as many as there may be.
    pub(crate) fn begin_opening(self: &Arc<Self>) -> Option<OpeningPermit> {
        let max = self.config().settings.register_concurrency;
        let more = |count| (count < max).then_some(count + 1);
        self.opening.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(OpeningPermit(Arc::clone(self)))
    }

    /// The permits for calls of transmit. When their number has changed in the settings, calls that
    /// run count for the old ones.
    pub(crate) fn transmits(&self) -> Arc<Semaphore> {
        let count = self.config().settings.transmit_concurrency;
        let mut transmits = self.transmits.lock().expect("nothing panics with the lock held");
        if transmits.count != count {
            *transmits = Transmits { count, permits: None };
        }
        Arc::clone(transmits.permits.get_or_insert_with(|| Arc::new(Semaphore::new(count))))
    }

    /// The permits for the memory of received messages, large ones and small ones. Their numbers
    /// are those of the first call.
    pub(crate) fn received(&self, counts: [usize; 2]) -> [Arc<Semaphore>; 2] {
        let make = || counts.map(|count| Arc::new(Semaphore::new(count)));
        self.received.get_or_init(make).clone()
    }

    /// Notes that a client has offered subprotocols and gets none. True for the first one with
    /// these settings.
    pub(crate) fn is_first_without_subprotocol(&self) -> bool {
        !self.no_subprotocol.swap(true, Ordering::Relaxed)
    }

    /// Notes that a client has closed with a code that it must not send. True for the first one.
    pub(crate) fn is_first_wrong_close_code(&self) -> bool {
        !self.wrong_close_code.swap(true, Ordering::Relaxed)
    }

    /// Replaces the settings, and returns whether they differ.
    fn set(&self, config: ApiConfig) -> bool {
        if *self.config() == config {
            return false;
        }
        *self.config.write().expect("no code panics while it holds this lock") = Arc::new(config);
        self.no_subprotocol.store(false, Ordering::Relaxed);
        true
    }
}

impl Drop for OpeningPermit {
    fn drop(&mut self) {
        self.0.opening.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ApiConfig {
    fn new(settings: ApiSettings, runner: &Url) -> Self {
        let stage = settings.paths.iter().find_map(PathPattern::stage);
        Self {
            dialect: Dialect::Tencent,
            paths: settings.paths.iter().map(|path| path.as_str().into()).collect(),
            stage: stage.unwrap_or("release"),
            register: settings.register.as_ref().map(|function| function.resolve(runner)),
            transmit: settings.transmit.resolve(runner),
            cleanup: settings.cleanup.as_ref().map(|function| function.resolve(runner)),
            settings,
        }
    }

    /// The stage of a client that has come on `path`.
    pub(crate) fn stage(&self, path: &PathPattern) -> &'static str {
        path.stage().unwrap_or(self.stage)
    }

    /// Whether one of the functions is the runner's with this name.
    pub(crate) fn names(&self, function: &str) -> bool {
        let ApiSettings { register, transmit, cleanup, .. } = &self.settings;
        let named = [register.as_ref(), Some(transmit), cleanup.as_ref()].into_iter().flatten();
        let mut names = named.filter_map(FunctionAddress::name);
        names.any(|name| name == function)
    }

    /// The addresses of all functions.
    fn functions(&self) -> impl Iterator<Item = &Url> {
        [&self.transmit].into_iter().chain(&self.register).chain(&self.cleanup)
    }
}
