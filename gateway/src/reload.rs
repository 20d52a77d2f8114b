//! Settings that change while the gateway runs. Open connections stay open.

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::{
    api::{Apis, Changes},
    call::FunctionClient,
    cleanup::Cleanups,
    identity::KeySets,
    push::PushTokens,
    settings::Settings,
};

/// Applies new settings.
#[derive(Debug)]
pub(crate) struct ApiReload {
    pub(crate) apis: Apis,
    pub(crate) functions: FunctionClient,
    pub(crate) cleanups: Cleanups,
    pub(crate) key_sets: KeySets,
    pub(crate) push_tokens: PushTokens,
    /// The settings that the gateway was started with.
    pub(crate) settings: Settings,
}

/// What the log says beside the reason for which new settings are refused.
const STAYS: &str = "the settings stay as they are, and all earlier tokens and keys stay in use";

impl ApiReload {
    /// Runs until the sender of settings is dropped.
    pub(crate) async fn follow(self, mut settings: mpsc::Receiver<Settings>) {
        while let Some(settings) = settings.recv().await {
            self.take(settings);
        }
    }

    fn take(&self, settings: Settings) {
        if let Err(error) = self.functions.prepare(&self.apis.addresses_with(&settings.apis)) {
            error!(%error, "could not set up the HTTP client for https: {STAYS}");
            return;
        }
        // `push.max_body` changes with a restart only, so the old value has to fit.
        let problems = self.settings.push.problems_with(&settings.apis);
        if !problems.is_empty() {
            return error!(
                ?problems,
                "push.max_body is too small for the new settings and needs a restart: {STAYS}"
            );
        }
        if let Some(problem) =
            self.settings.connection.problem_with(&self.settings.apis, &settings.apis)
        {
            return error!(
                problem,
                "connection.receive_memory is too small for the new settings and needs a restart: \
                 {STAYS}"
            );
        }
        // Before the APIs change: their first tokens find a set that is being fetched.
        if let Err(error) = self.key_sets.follow(&settings.apis) {
            return error!(
                %error, "could not set up the HTTP client for key sets: {STAYS}"
            );
        }
        for key in self.settings.fixed_keys_that_differ(&settings) {
            warn!("{key} has changed in the settings: restart to apply it");
        }
        self.push_tokens.replace(settings.push_tokens);
        let Changes { added, changed, removed } = self.apis.replace(settings.apis);
        self.cleanups.take_up(&self.apis);
        info!(?added, ?changed, ?removed, "settings reloaded");
    }
}
