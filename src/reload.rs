//! Changes of the two settings files while both services run. Built-in settings do not change.

use std::net::SocketAddr;

use anyhow::Context;
use daemon::{
    reload::{FromFile, ReloadTriggers, SettingsFile, follow},
    settings::SettingsError,
};
use tokio::sync::mpsc;

use crate::{
    names::Names,
    services::{Listeners, credential_of, url_of},
    settings::Files,
};

/// The two settings files, each with the triggers for reading it again.
#[derive(Debug, Default)]
pub(crate) struct WatchedFiles {
    gateway: Option<Watched>,
    functions: Option<Watched>,
    names: Names,
}

type Watched = (ReloadTriggers, SettingsFile);

impl WatchedFiles {
    /// Starts to watch the gateway's file, whose content is `settings`.
    pub(crate) async fn watch_gateway(
        &mut self,
        files: &Files,
        settings: &gateway::settings::Settings,
    ) -> anyhow::Result<()> {
        self.names.use_gateway(settings);
        self.gateway =
            watch(files.gateway_file(), files.functions_file(), settings, settings.watch).await?;
        Ok(())
    }

    /// Starts to watch the functions' file, whose content is `settings`, and the functions' code.
    pub(crate) async fn watch_functions(
        &mut self,
        files: &Files,
        settings: &function_runner::Settings,
    ) -> anyhow::Result<()> {
        self.names.use_functions(settings);
        self.functions =
            watch(files.functions_file(), files.gateway_file(), settings, settings.watch).await?;
        Ok(())
    }

    /// Sends new settings when a file changes, until the receivers are closed. `store` is told the
    /// pair of a new role.
    pub(crate) async fn follow(
        self,
        files: Files,
        listeners: Listeners,
        store: Option<cos::Service>,
        gateway: mpsc::Sender<gateway::settings::Settings>,
        functions: mpsc::Sender<function_runner::Settings>,
    ) {
        let names = &self.names;
        let following_gateway = async {
            let Some((triggers, file)) = self.gateway else { return };
            let parse = |text: &str| {
                let settings = gateway_settings(&files, text, listeners.function_runner)?;
                let functions = files.functions_now(listeners.internal);
                names.check_gateway(&settings, functions.as_ref())?;
                Ok::<_, SettingsError>(settings)
            };
            follow(triggers, file, parse, gateway).await;
        };
        let following_functions = async {
            let Some((triggers, file)) = self.functions else { return };
            let parse = |text: &str| {
                let settings = files.parse_functions_text(listeners.internal, text)?;
                names.check_functions(&settings, files.gateway_now().as_ref())?;
                if let (Some(store), Some(role)) = (&store, settings.role()) {
                    let problem = |what| SettingsError(vec![settings.problem("cloud.role", what)]);
                    store.use_role(credential_of(role).map_err(problem)?);
                }
                Ok::<_, SettingsError>(settings)
            };
            follow(triggers, file, parse, functions).await;
        };
        tokio::join!(following_gateway, following_functions);
    }
}

/// Watches `file` and the other one: a file that was refused may be good when the other one has
/// changed.
async fn watch(
    file: Option<SettingsFile>,
    other: Option<SettingsFile>,
    settings: &impl FromFile,
    is_watching: bool,
) -> anyhow::Result<Option<Watched>> {
    let (Some(file), Some(other)) = (file, other) else { return Ok(None) };
    let triggers = ReloadTriggers::listen(is_watching).context("could not listen for SIGHUP")?;
    let mut triggers = triggers.beside(other.path);
    triggers.watch(&file.path, settings.folders()).await;
    Ok(Some((triggers, file)))
}

/// The settings in `text`, with the address of this process's own runner in place of `runner.url`.
fn gateway_settings(
    files: &Files,
    text: &str,
    runner: SocketAddr,
) -> Result<gateway::settings::Settings, SettingsError> {
    let mut settings = files.parse_gateway_text(text)?;
    settings.runner = url_of(runner);
    Ok(settings)
}
