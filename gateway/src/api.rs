//! One API at run time: its settings, with the functions' addresses resolved.

use std::{fmt, sync::Arc};

use url::Url;

use crate::{
    cleanup::CleanupBudget,
    paths::{PathParameters, best_fit},
    settings::ApiSettings,
};

/// One API.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) settings: ApiSettings,
    pub(crate) register: Option<Url>,
    pub(crate) transmit: Url,
    pub(crate) cleanup: Option<Url>,
    pub(crate) cleanup_budget: CleanupBudget,
}

/// All APIs.
#[derive(Clone)]
pub(crate) struct Apis(Arc<[Arc<Api>]>);

impl Api {
    fn new(settings: ApiSettings, runner: &Url, cleanups_max: usize) -> Self {
        Self {
            register: settings.register.as_ref().map(|function| function.resolve(runner)),
            transmit: settings.transmit.resolve(runner),
            cleanup: settings.cleanup.as_ref().map(|function| function.resolve(runner)),
            cleanup_budget: CleanupBudget::new(cleanups_max),
            settings,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.settings.id
    }
}

impl Apis {
    pub(crate) fn new(settings: Vec<ApiSettings>, runner: &Url, cleanups_max: usize) -> Self {
        let new = |api| Arc::new(Api::new(api, runner, cleanups_max));
        Self(settings.into_iter().map(new).collect())
    }

    /// The addresses of all functions.
    pub(crate) fn functions(&self) -> Vec<&Url> {
        let mut functions = Vec::new();
        for api in self.0.iter() {
            functions.push(&api.transmit);
            functions.extend(&api.register);
            functions.extend(&api.cleanup);
        }
        functions
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Api>> {
        self.0.iter()
    }

    /// The API of this id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Arc<Api>> {
        self.0.iter().find(|api| api.id() == id)
    }

    /// The API that a request path belongs to, and the parameters in the path.
    pub(crate) fn by_path(&self, path: &str) -> Option<(&Arc<Api>, PathParameters)> {
        best_fit(path, self.0.iter().map(|api| (&api.settings.path, api)))
    }
}

impl fmt::Debug for Apis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|api| api.id())).finish()
    }
}
