//! Gateway and function-runner in this process, with the real Rust functions.

use std::{collections::BTreeMap, path::Path, time::Duration};

use function_runner::{Runner, Settings as RunnerSettings, serve, settings::PREFIX};
use functions::Catalog;
use gateway::{
    gateway::{Gateway, Listeners},
    settings::{PushAuth, Settings},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{CLOSE_TIMEOUT, TEST_TIMEOUT, access, soon};

const GATEWAY: &str = include_str!("../../../gateway.toml");
const FUNCTIONS: &str = include_str!("../../../functions.toml");

/// Both services, with the settings files at the root of the repository.
pub(crate) struct Stack {
    pub(crate) listeners: Listeners,
    /// The URL of the function-runner.
    pub(crate) runner_url: String,
    stop_gateway: CancellationToken,
    stop_runner: CancellationToken,
    gateway: JoinHandle<()>,
    runner: JoinHandle<()>,
    /// The folder with the journal.
    _folder: tempfile::TempDir,
}

impl Stack {
    /// `roster` is the URL of the roster.
    pub(crate) async fn start(roster: &str) -> Self {
        Self::with_environment(&[("ROSTER_URL", roster.to_owned())]).await
    }

    /// The same, whose public listener speaks TLS with what `tls.dev` makes in `dir`.
    pub(crate) async fn with_tls(roster: &str, dir: &Path) -> Self {
        let tls = format!("[tls]\ndev = true\ndev_dir = {dir:?}\n");
        Self::launch(&[("ROSTER_URL", roster.to_owned())], &tls, PushAuth::Token).await
    }

    /// `environment` is added to the environment of each function of the chat.
    pub(crate) async fn with_environment(environment: &[(&str, String)]) -> Self {
        Self::launch(environment, "", PushAuth::Token).await
    }

    /// The same, and every program of this machine may push, as in `longhold` by default.
    pub(crate) async fn open_to_this_machine(roster: &str) -> Self {
        Self::launch(&[("ROSTER_URL", roster.to_owned())], "", PushAuth::Loopback).await
    }

    async fn launch(environment: &[(&str, String)], tables: &str, auth: PushAuth) -> Self {
        let no_variables = BTreeMap::new();
        let text = GATEWAY.replace(":9000", ":0").replace(":9001", ":0") + tables;
        // The working directory of the tests is the root of the repository, which has the folder
        // of the page.
        let mut settings =
            Settings::parse(Path::new("gateway.toml"), &text, &no_variables).unwrap();
        settings.connection.close_timeout = CLOSE_TIMEOUT;
        settings.access = access::given();
        settings.push.auth = Some(auth);
        let folder = tempfile::tempdir().unwrap();
        settings.journal.dir = folder.path().join("journal");
        let gateway = Gateway::bind(settings).await.unwrap();
        let listeners = gateway.listeners().unwrap();

        let push = BTreeMap::from([("push".to_owned(), format!("http://{}", listeners.internal))]);
        let file = Path::new("functions.toml");
        let catalog = Catalog::built_in();
        let mut settings =
            RunnerSettings::parse(file, FUNCTIONS, &variables(environment), &push, &catalog)
                .unwrap();
        settings.access = access::given();
        // The gateway is stopped first.
        settings.drain.delay = Duration::ZERO;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let runner_url = format!("http://{}", listener.local_addr().unwrap());
        let gateway = gateway.with_runner(runner_url.parse().unwrap());

        let (stop_gateway, stop_runner) = (CancellationToken::new(), CancellationToken::new());
        let run = gateway.run(stop_gateway.clone());
        let gateway = tokio::spawn(async move { run.await.unwrap() });
        let runner =
            tokio::spawn(serve(Runner::start(settings).unwrap(), listener, stop_runner.clone()));
        Self { listeners, runner_url, stop_gateway, stop_runner, gateway, runner, _folder: folder }
    }

    pub(crate) async fn finish(self) {
        self.stop_gateway.cancel();
        soon("the end of the gateway", self.gateway).await.unwrap();
        self.stop_runner.cancel();
        soon("the end of the runner", self.runner).await.unwrap();
    }
}

/// The variables of a runner that set `environment` for each function of the chat, and a timeout
/// that is long enough on a busy machine.
fn variables(environment: &[(&str, String)]) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for function in ["REGISTER", "TRANSMIT", "CLEANUP"] {
        let prefix = format!("{PREFIX}__FUNCTIONS__CHAT_{function}");
        variables.insert(format!("{prefix}__TIMEOUT"), format!("{}s", TEST_TIMEOUT.as_secs()));
        for (key, value) in environment {
            variables.insert(format!("{prefix}__ENVIRONMENT__{key}"), value.clone());
        }
    }
    variables
}
