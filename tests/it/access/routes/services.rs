//! The services that are asked.

use std::{collections::BTreeMap, path::Path};

use function_runner::{Runner, Settings as RunnerSettings, serve};
use functions::Catalog;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    credentials::{OTHER, PUSH},
    listener::{Listener, plain},
    table::{GATEWAY, RUNNER, Who},
};
use crate::support::{access, backend::Backend, world::World};

/// A gateway, and a runner with the functions of the repository.
pub(super) struct Services {
    pub(super) world: World,
    runner: String,
    _serving: AbortOnDropHandle<()>,
}

impl Services {
    pub(super) async fn start(auth: &str) -> Self {
        let settings = format!(
            r#"
            listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
            push.auth = "{auth}"
            [[push.tokens]]
            apis = ["api-test"]
            token = "{PUSH}"
            [[push.tokens]]
            apis = ["api-other"]
            token = "{OTHER}"
            [[api]]
            id = "api-test"
            path = "/release/test"
            transmit = "BACKEND/transmit"
            [[api]]
            id = "api-other"
            path = "/release/other"
            transmit = "BACKEND/transmit"
            "#
        );
        let world = World::launch(Backend::start().await, &settings).await;
        let push = BTreeMap::from([("push".to_owned(), "http://127.0.0.1:1".to_owned())]);
        let text = include_str!("../../../../functions.toml");
        let (file, catalog) = (Path::new("functions.toml"), Catalog::built_in());
        let settings = RunnerSettings::parse(file, text, &BTreeMap::new(), &push, &catalog);
        let mut settings = settings.unwrap();
        settings.access = access::given();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let runner = format!("http://{}", listener.local_addr().unwrap());
        let serving = serve(Runner::start(settings).unwrap(), listener, CancellationToken::new());
        Self { world, runner, _serving: AbortOnDropHandle::new(tokio::spawn(serving)) }
    }

    pub(super) fn internal(&self) -> [Listener; 2] {
        let listener =
            |base: String, table, nothing| Listener { base, http: plain(), table, nothing };
        [
            listener(format!("http://{}", self.world.listeners.internal), GATEWAY, Who::Known),
            listener(self.runner.clone(), RUNNER, Who::Services),
        ]
    }
}
