//! What the child processes of a function have of the cloud: its names, an authority, and a role.

use std::{path::Path, process::Command};

use super::api::RuntimeApi;
use crate::{
    cloud::{CloudProcess, LedNames, Roots},
    invocation::RecentLines,
    settings::{EnvironmentTexts, FunctionSettings, Language, SubprocessSettings},
};

/// What our bootstraps do about the cloud's names. They take it out of their environment.
const NAMES: &str = "LONGHOLD_NAMES";
/// The variables that programs read for a proxy, and for the hosts that need none.
const PROXY: [&str; 4] = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"];
const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];
const THIS_MACHINE: &str = "127.0.0.1,localhost,::1";

/// What the child processes of a function have of the cloud.
#[derive(Debug)]
pub(super) struct ChildCloud {
    process: CloudProcess,
    /// Whether the function has a role.
    has_role: bool,
    /// The names, if the settings have `[cloud]`.
    pub(super) led: Option<LedNames>,
}

impl ChildCloud {
    pub(super) fn new(
        function: &FunctionSettings,
        subprocess: &SubprocessSettings,
        process: &CloudProcess,
        lines: &RecentLines,
    ) -> Self {
        let names = subprocess.cloud.names.as_ref();
        let led = names.map(|names| {
            LedNames::new(function, names, &subprocess.named_by, process, lines.clone())
        });
        Self { process: process.clone(), has_role: subprocess.role.is_some(), led }
    }

    /// The folder that the child has to see although it has a `/tmp` of its own.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.roots().map(|roots| &*roots.folder)
    }

    fn roots(&self) -> Option<&Roots> {
        self.led.as_ref().and_then(LedNames::roots)
    }

    /// Sets the defaults, which the environment of the user overrides.
    pub(super) fn set_defaults(
        &self,
        command: &mut Command,
        language: Language,
        users: &EnvironmentTexts,
        api: &RuntimeApi,
    ) {
        if self.has_role {
            command.envs(self.process.role().variables());
        }
        command.envs(self.roots().iter().flat_map(|roots| roots.variables()));
        let is_alone = match language {
            Language::Python3 | Language::Nodejs => false,
            Language::Custom => true,
        };
        // Two spellings of a variable with two values would be two proxies.
        if let Some(proxy) = api.proxy(is_alone).filter(|_| !users.has_any(&PROXY)) {
            command.envs(PROXY.map(|name| (name, &proxy)));
            if !users.has_any(&NO_PROXY) {
                command.envs(NO_PROXY.map(|name| (name, THIS_MACHINE)));
            }
        }
    }
}

/// Sets what only our bootstraps read.
pub(super) fn set_names(command: &mut Command, api: &RuntimeApi) {
    match api.names_for_bootstrap() {
        Some(names) => command.env(NAMES, names),
        // What the user may have set has no meaning.
        None => command.env_remove(NAMES),
    };
}
