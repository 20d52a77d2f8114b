//! Whose connections a push reaches.

use std::sync::Arc;

use super::Api;

/// The APIs whose connections a push to one id reaches. Mostly the one that has the id; several,
/// where `push_ids` of other APIs have it too. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct PushTarget {
    api: Arc<Api>,
    /// The others.
    more: Arc<[Arc<Api>]>,
}

impl PushTarget {
    /// One API.
    pub(super) fn of(api: Arc<Api>) -> Self {
        Self { api, more: Arc::default() }
    }

    /// These APIs, of which there is at least one.
    pub(super) fn shared(apis: impl IntoIterator<Item = Arc<Api>>) -> Self {
        let mut apis = apis.into_iter();
        let api = apis.next().expect("an id stands in the settings of an API");
        Self { api, more: apis.collect() }
    }

    /// The API that says how pushes look: the one that has the id, or else the first.
    pub(crate) fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// Whether the connections of the API with this id are reached.
    pub(crate) fn has(&self, api_id: &str) -> bool {
        self.apis().any(|api| api.id() == api_id)
    }

    /// All of them.
    pub(crate) fn apis(&self) -> impl Iterator<Item = &Arc<Api>> {
        [&self.api].into_iter().chain(&*self.more)
    }
}
