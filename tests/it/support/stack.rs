//! Gateway and function-runner in this process, with the real Rust functions.

use std::{collections::BTreeMap, path::Path};

use function_runner::{Runner, Settings as RunnerSettings};
use functions::Catalog;
use gateway::{
    gateway::{Doors, Gateway},
    settings::Settings,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{CLOSE_TIMEOUT, soon};

const GATEWAY: &str = include_str!("../../../gateway.toml");
const FUNCTIONS: &str = include_str!("../../../functions.toml");

/// Both services, set up by the files at the root of the repository.
pub(crate) struct Stack {
    pub(crate) doors: Doors,
    stop_gateway: CancellationToken,
    stop_runner: CancellationToken,
    gateway: JoinHandle<()>,
    runner: JoinHandle<()>,
}

impl Stack {
    /// `roster` is the URL of the roster.
    pub(crate) async fn start(roster: &str) -> Self {
        let no_variables = BTreeMap::new();
        let text = GATEWAY.replace(":9000", ":0").replace(":9001", ":0");
        // The test runs at the root of the repository, where the folder of the page is.
        let mut settings =
            Settings::parse(Path::new("gateway.toml"), &text, &no_variables).unwrap();
        settings.connection.close_timeout = CLOSE_TIMEOUT;
        let gateway = Gateway::bind(settings).await.unwrap();
        let doors = gateway.doors().unwrap();

        let text = FUNCTIONS.replace("data/roster", roster);
        let push = BTreeMap::from([("push".to_owned(), format!("http://{}", doors.internal))]);
        let file = Path::new("functions.toml");
        let catalog = Catalog::built_in();
        let settings = RunnerSettings::parse(file, &text, &no_variables, &push, &catalog).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let gateway = gateway.with_runner(url.parse().unwrap());

        let (stop_gateway, stop_runner) = (CancellationToken::new(), CancellationToken::new());
        let run = gateway.run(stop_gateway.clone());
        let gateway = tokio::spawn(async move { run.await.unwrap() });
        let runner = tokio::spawn(Runner::new(settings).serve(listener, stop_runner.clone()));
        Self { doors, stop_gateway, stop_runner, gateway, runner }
    }

    pub(crate) async fn finish(self) {
        self.stop_gateway.cancel();
        soon("the end of the gateway", self.gateway).await.unwrap();
        self.stop_runner.cancel();
        soon("the end of the runner", self.runner).await.unwrap();
    }
}
