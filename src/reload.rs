//! Changes of the two files while both services run. What is built in does not change.

use std::net::SocketAddr;

use anyhow::Context;
use daemon::{
    reload::{self, FromFile, SettingsFile, follow},
    settings::SettingsError,
};
use tokio::sync::mpsc;

use crate::{Doors, settings::Files, url_of};

/// The two files, each with what says when to read it again.
#[derive(Debug, Default)]
pub(crate) struct Reload {
    gateway: Option<Watched>,
    functions: Option<Watched>,
}

type Watched = (reload::Reload, SettingsFile);

impl Reload {
    /// From now on a change of the gateway's file is noticed. It says `settings`.
    pub(crate) fn watch_gateway(
        &mut self,
        files: &Files,
        settings: &gateway::settings::Settings,
    ) -> anyhow::Result<()> {
        self.gateway = watch(files.gateway_file(), settings, settings.watch)?;
        Ok(())
    }

    /// From now on a change of the functions' file, or of their code, is noticed. It says
    /// `settings`.
    pub(crate) fn watch_functions(
        &mut self,
        files: &Files,
        settings: &function_runner::Settings,
    ) -> anyhow::Result<()> {
        self.functions = watch(files.functions_file(), settings, settings.watch)?;
        Ok(())
    }

    /// Sends what the files say when they change, until nobody takes it any more.
    pub(crate) async fn follow(
        self,
        files: Files,
        doors: Doors,
        gateway: mpsc::Sender<gateway::settings::Settings>,
        functions: mpsc::Sender<function_runner::Settings>,
    ) {
        let following_gateway = async {
            let Some((reload, file)) = self.gateway else { return };
            let parse = |text: &str| gateway_settings(&files, text, doors.function_runner);
            follow(reload, file, parse, gateway).await;
        };
        let following_functions = async {
            let Some((reload, file)) = self.functions else { return };
            let parse = |text: &str| files.parse_functions_text(doors.internal, text);
            follow(reload, file, parse, functions).await;
        };
        tokio::join!(following_gateway, following_functions);
    }
}

fn watch(
    file: Option<SettingsFile>,
    settings: &impl FromFile,
    is_watching: bool,
) -> anyhow::Result<Option<Watched>> {
    let Some(file) = file else { return Ok(None) };
    let mut reload = reload::Reload::listen(is_watching).context("could not listen for SIGHUP")?;
    reload.watch(&file.path, settings.folders());
    Ok(Some((reload, file)))
}

/// The runner is in this process, whatever the file says.
fn gateway_settings(
    files: &Files,
    text: &str,
    runner: SocketAddr,
) -> Result<gateway::settings::Settings, SettingsError> {
    let mut settings = files.parse_gateway_text(text)?;
    settings.runner = url_of(runner);
    Ok(settings)
}
