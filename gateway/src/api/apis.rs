//! All APIs: found by id or by path, replaced together.

use std::{
    borrow::Borrow,
    collections::BTreeMap,
    fmt,
    sync::{Arc, RwLock},
};

use daemon::path::without_runs;
use url::Url;

use super::{Api, ApiConfig, PushTarget};
use crate::settings::{ApiSettings, PathMatch, PathPattern, best_fit};

/// All APIs. All clones share one table.
#[derive(Clone)]
pub(crate) struct Apis(Arc<Inner>);

struct Inner {
    table: RwLock<Arc<Table>>,
    runner: Url,
}

#[derive(Default)]
struct Table {
    /// APIs of the present settings, which clients can connect to.
    open: Vec<(Vec<Arc<PathPattern>>, Arc<Api>)>,
    /// The APIs that have each further id for pushes.
    by_push_id: BTreeMap<String, Vec<Arc<Api>>>,
    /// APIs of earlier settings. They may have open connections and owe cleanups.
    removed: Vec<Arc<Api>>,
}

/// The ids of the APIs that were added, changed or removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) added: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) removed: Vec<String>,
}

impl Apis {
    pub(crate) fn new(settings: Vec<ApiSettings>, runner: Url) -> Self {
        let apis = Self(Arc::new(Inner { table: RwLock::default(), runner }));
        apis.replace(settings);
        apis
    }

    /// Replaces the settings of all APIs. An id that is there already stays the same API and keeps
    /// its connections.
    pub(crate) fn replace(&self, settings: Vec<ApiSettings>) -> Changes {
        let old = self.table();
        let mut changes = Changes::default();
        let mut open = Vec::with_capacity(settings.len());
        let mut by_push_id = BTreeMap::<_, Vec<_>>::new();
        for settings in settings {
            let (id, push_ids) = (settings.id.clone(), settings.push_ids.clone());
            let paths = settings.paths.iter().cloned().map(Arc::new).collect();
            let config = ApiConfig::new(settings, &self.0.runner);
            let api = match old.by_id(&id) {
                Some(api) if old.is_open(&id) => {
                    if api.set(config) {
                        changes.changed.push(id);
                    }
                    Arc::clone(api)
                }
                Some(api) => {
                    api.set(config);
                    changes.added.push(id);
                    Arc::clone(api)
                }
                None => {
                    changes.added.push(id);
                    Arc::new(Api::new(config))
                }
            };
            for push_id in push_ids {
                by_push_id.entry(push_id).or_default().push(Arc::clone(&api));
            }
            open.push((paths, api));
        }
        let mut table = Table { open, by_push_id, removed: Vec::new() };
        for api in old.all() {
            let id = api.id();
            if table.is_open(id) {
                continue;
            }
            if old.is_open(id) {
                changes.removed.push(id.to_owned());
            }
            table.removed.push(Arc::clone(api));
        }
        *self.0.table.write().expect("no code panics while it holds this lock") = Arc::new(table);
        changes
    }

    /// The addresses of all functions of APIs with these settings.
    pub(crate) fn addresses_with(&self, settings: &[ApiSettings]) -> Vec<Url> {
        addresses(settings.iter().map(|api| ApiConfig::new(api.clone(), &self.0.runner)))
    }

    /// The addresses of all functions, also of APIs that were removed.
    pub(crate) fn addresses(&self) -> Vec<Url> {
        addresses(self.all().into_iter().map(|api| api.config()))
    }

    /// All APIs, also those that were removed.
    pub(crate) fn all(&self) -> Vec<Arc<Api>> {
        self.table().all().cloned().collect()
    }

    /// The API with this id, also if it was removed.
    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<Api>> {
        self.table().by_id(id).cloned()
    }

    /// The APIs whose connections a push to this id reaches.
    pub(crate) fn by_push_id(&self, id: &str) -> Option<PushTarget> {
        let table = self.table();
        let others = table.by_push_id.get(id);
        let own = table.by_id(id).cloned();
        match (own, others) {
            (Some(api), None) => Some(PushTarget::of(api)),
            (own, Some(others)) => {
                Some(PushTarget::shared(own.into_iter().chain(others.iter().cloned())))
            }
            (None, None) => None,
        }
    }

    /// The API for a request path in normal form, and how the path fits it. A path that has slashes
    /// in a row, and that no API has, is taken for one that was joined of two.
    pub(crate) fn by_path(&self, path: &str) -> Option<(Arc<Api>, PathMatch)> {
        let table = self.table();
        let find = |path: &str| best_fit(path, table.paths());
        let ((pattern, api), parameters) = find(path).or_else(|| find(&without_runs(path)?))?;
        Some((Arc::clone(api), PathMatch { pattern: Arc::clone(pattern), parameters }))
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.table.read().expect("no code panics while it holds this lock"))
    }
}

impl Table {
    fn all(&self) -> impl Iterator<Item = &Arc<Api>> {
        self.open.iter().map(|(_, api)| api).chain(&self.removed)
    }

    /// Each path with itself and its API.
    fn paths(&self) -> impl Iterator<Item = (&PathPattern, (&Arc<PathPattern>, &Arc<Api>))> {
        self.open
            .iter()
            .flat_map(|(paths, api)| paths.iter().map(move |path| (&**path, (path, api))))
    }

    fn by_id(&self, id: &str) -> Option<&Arc<Api>> {
        self.all().find(|api| api.id() == id)
    }

    fn is_open(&self, id: &str) -> bool {
        self.open.iter().any(|(_, api)| api.id() == id)
    }
}

fn addresses<C: Borrow<ApiConfig>>(configs: impl Iterator<Item = C>) -> Vec<Url> {
    configs.flat_map(|config| config.borrow().functions().cloned().collect::<Vec<_>>()).collect()
}

impl fmt::Debug for Apis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.table().all().map(|api| api.id())).finish()
    }
}
