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
        // `push.auth` speaks of the gateway's listener, and only if it is on loopback.
        self.trusts_this_machine =
            auth == Some(PushAuth::Loopback) && is_loopback(functions.internal);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::{
        collections::BTreeMap,
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
        path::Path,
    };

    use functions::Catalog;

    use super::*;

    fn gateway(text: &str) -> Gateway {
        let text = format!("{text}\n[[api]]\nid = \"a\"\npath = \"/a\"\ntransmit = \"one\"");
        Gateway::parse(Path::new("gateway.toml"), &text, &BTreeMap::new()).unwrap()
    }

    /// The runner's settings, with a function in a child process that has this line.
    fn functions(text: &str, line: &str) -> Functions {
        let folder = tempfile::tempdir().unwrap();
        let push = BTreeMap::from([("push".to_owned(), "http://127.0.0.1:1".to_owned())]);
        let bootstrap = folder.path().join("bootstrap");
        fs::write(&bootstrap, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&bootstrap, Permissions::from_mode(0o755)).unwrap();
        let text = format!("{text}\n[functions.one]\nruntime = \"custom\"\ncode = \".\"\n{line}");
        let file = folder.path().join("functions.toml");
        Functions::parse(&file, &text, &BTreeMap::new(), &push, &Catalog::built_in()).unwrap()
    }

    /// What both are with the access that is decided of them.
    fn decided(mut gateway: Gateway, mut functions: Functions) -> (Access, Gateway, Functions) {
        let mut access = Access::new();
        access.decide(&gateway, &functions);
        access.complete_gateway(&mut gateway);
        access.complete_functions(&mut functions);
        (access, gateway, functions)
    }

    const USER: &str = "user = \"nobody\"";

    #[test]
    fn every_program_of_a_machine_of_ones_own_may_push_unless_a_function_has_a_user() {
        for (line, auth, trusts) in [("", PushAuth::Loopback, true), (USER, PushAuth::Token, false)]
        {
            let (_, gateway, functions) = decided(gateway(""), functions("", line));
            assert_eq!(gateway.push.auth, Some(auth), "{line}");
            assert_eq!(functions.trusts_this_machine, trusts, "{line}");
        }
    }

    #[test]
    fn the_cloud_api_takes_any_signature_only_if_the_runner_is_on_loopback_too() {
        for (listen, trusts) in [
            ("listen.internal = \"127.0.0.1:9002\"", true),
            ("listen.internal = \"0.0.0.0:9002\"", false),
        ] {
            let gateway = gateway("push.auth = \"loopback\"");
            let (_, gateway, functions) = decided(gateway, functions(listen, ""));
            assert_eq!(gateway.push.auth, Some(PushAuth::Loopback));
            assert_eq!(functions.trusts_this_machine, trusts, "{listen}");
        }
    }

    #[test]
    fn the_first_function_with_a_user_needs_a_restart() {
        let (access, ..) = decided(gateway(""), functions("", ""));
        access.check(&functions("", "")).unwrap();
        let problem = access.check(&functions("", USER)).unwrap_err().to_string();
        let words = "functions.one.user: needs a restart: without such a function, pushes of this \
                     machine need no token";
        assert!(problem.contains(words), "{problem}");
        // Whoever has said it has said it for all functions.
        let (access, ..) = decided(gateway("push.auth = \"loopback\""), functions("", ""));
        access.check(&functions("", USER)).unwrap();
    }
}
