//! Settings that change while the gateway runs. Connections live on.

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::{
    api::{Apis, Changes},
    call::Caller,
    cleanup::Cleanups,
    settings::Settings,
};

/// Takes new settings into use.
#[derive(Debug)]
pub(crate) struct Reload {
    pub(crate) apis: Apis,
    pub(crate) caller: Caller,
    pub(crate) cleanups: Cleanups,
    /// What the gateway was started with.
    pub(crate) settings: Settings,
}

impl Reload {
    /// Runs until nobody sends settings any more.
    pub(crate) async fn follow(self, mut settings: mpsc::Receiver<Settings>) {
        while let Some(settings) = settings.recv().await {
            self.take(settings);
        }
    }

    fn take(&self, settings: Settings) {
        if let Err(error) = self.caller.prepare(&self.apis.functions(&settings.apis)) {
            error!(%error, "could not set up the HTTP client for https: the settings stay as they were");
            return;
        }
        // The new `push.max_body` is not in force yet.
        let problems = self.settings.push.problems_with(&settings.apis);
        if !problems.is_empty() {
            return error!(
                ?problems,
                "push.max_body, which takes a restart, does not fit the new settings: they stay as they were"
            );
        }
        for key in self.settings.fixed_keys_that_differ(&settings) {
            warn!("{key} has changed in the settings, which takes a restart");
        }
        let Changes { added, changed, removed } = self.apis.replace(settings.apis);
        self.cleanups.take_up(&self.apis);
        info!(?added, ?changed, ?removed, "settings reloaded");
    }
}
