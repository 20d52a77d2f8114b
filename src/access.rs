//! Who is trusted because both services are in one process: each service by the other one, and, on
//! a machine of one's own, every program of the machine.

use daemon::{
    credentials::{AccessToken, TokenSource, is_loopback},
    settings::SettingsError,
};
use function_runner::settings::FunctionSettings;
use gateway::settings::PushAuth;

type Gateway = gateway::settings::Settings;
type Functions = function_runner::Settings;

/// What both settings files need not say.
#[derive(Debug)]
pub(crate) struct Access {
    /// The token with which the services call each other. Nobody else knows it.
    service: TokenSource,
    /// `push.auth`, if the file does not say it.
    default_auth: Option<PushAuth>,
    /// Whether the cloud API takes any signature of a caller on this machine.
    trusts_this_machine: bool,
}

impl Access {
    pub(crate) fn new() -> Self {
        let service = TokenSource::Given(AccessToken::random());
        Self { service, default_auth: None, trusts_this_machine: false }
    }

    /// Decides who may push if the file does not say it. On a machine of one's own, which is where
    /// nobody else reaches the listeners and all functions are of one user, every program may.
    pub(crate) fn decide(&mut self, gateway: &Gateway, functions: &Functions) {
        let is_own = is_loopback(gateway.internal)
            && is_loopback(functions.internal)
            && !functions.functions.iter().any(FunctionSettings::has_user);
        self.default_auth = Some(if is_own { PushAuth::Loopback } else { PushAuth::Token })
            .filter(|_| gateway.push.auth.is_none());
        let auth = gateway.push.auth.or(self.default_auth);
        self.trusts_this_machine = auth == Some(PushAuth::Loopback);
    }

    /// Adds what the gateway's file need not say.
    pub(crate) fn complete_gateway(&self, gateway: &mut Gateway) {
        gateway.access.service = self.service.clone();
        gateway.push.auth = gateway.push.auth.or(self.default_auth);
    }

    /// Adds what the functions' file need not say.
    pub(crate) fn complete_functions(&self, functions: &mut Functions) {
        functions.access.service = self.service.clone();
        functions.trusts_this_machine = self.trusts_this_machine;
    }

    /// Checks new settings of the runner: the first function with a user of its own needs a
    /// restart, since this process would not trust every program of the machine with it.
    pub(crate) fn check(&self, functions: &Functions) -> Result<(), SettingsError> {
        let trusts_all = self.default_auth == Some(PushAuth::Loopback);
        let with_user = functions.functions.iter().find(|function| function.has_user());
        let Some(function) = with_user.filter(|_| trusts_all) else { return Ok(()) };
        let what = "needs a restart: without such a function, pushes of this machine need no token";
        let key = format!("functions.{}.user", function.name);
        Err(SettingsError(vec![functions.problem(&key, what)]))
    }
}
