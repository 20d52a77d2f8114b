//! All APIs: found by id or by path, replaced together.

use std::{
    borrow::Borrow,
    fmt,
    sync::{Arc, RwLock},
};

use daemon::path::without_runs;
use url::Url;

use super::{Api, ApiConfig};
use crate::settings::{ApiSettings, PathParameters, PathPattern, best_fit};

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
    open: Vec<(PathPattern, Arc<Api>)>,
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
        for settings in settings {
            let (id, path) = (settings.id.clone(), settings.path.clone());
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
            open.push((path, api));
        }
        let mut table = Table { open, removed: Vec::new() };
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

    /// The API for a request path in normal form, and the parameters in the path. A path that has
    /// slashes in a row, and that no API has, is taken for one that was joined of two.
    pub(crate) fn by_path(&self, path: &str) -> Option<(Arc<Api>, PathParameters)> {
        let table = self.table();
        let find = |path: &str| best_fit(path, table.open.iter().map(|(path, api)| (path, api)));
        let (api, parameters) = find(path).or_else(|| find(&without_runs(path)?))?;
        Some((Arc::clone(api), parameters))
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.table.read().expect("no code panics while it holds this lock"))
    }
}

impl Table {
    fn all(&self) -> impl Iterator<Item = &Arc<Api>> {
        self.open.iter().map(|(_, api)| api).chain(&self.removed)
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
