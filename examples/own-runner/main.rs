//! A runner with a function of its own beside the built-in ones: a register function that asks for
//! a token.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use daemon::{
    listen::listen,
    process::{supervise, variables},
    ready,
    signals::Signals,
    telemetry,
};
use function_runner::{Runner, Settings, serve};
use functions::{BoxFuture, Catalog, Context, Environment, Function, FunctionError, StartError};
use serde_json::{Value, json};

/// Accepts a client that brings the token.
struct Doorkeeper {
    token: String,
}

fn start(environment: &Environment) -> Result<Arc<dyn Function>, StartError> {
    Ok(Arc::new(Doorkeeper { token: environment.require("TOKEN")?.to_owned() }))
}

impl Function for Doorkeeper {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        _context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>> {
        Box::pin(async move {
            let event: Value = serde_json::from_slice(event).map_err(FunctionError::bad_event)?;
            Ok(if event["queryString"]["token"] == self.token.as_str() {
                json!({ "errNo": 0, "errMsg": "ok" })
            } else {
                json!({ "errNo": 1, "errMsg": "wrong token" })
            })
        })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let catalog = Catalog::built_in().with("check-token", start);
    let file = Path::new("functions.toml");
    let text = fs::read_to_string(file)?;
    let settings = Settings::parse(file, &text, &variables(), &BTreeMap::new(), &catalog)?;
    telemetry::start(&settings.log);
    let signals = Signals::listen()?;
    let listener = listen(settings.internal, settings.place("listen.internal")).await?;
    let runner = Runner::start(settings)?;
    ready::announce(&json!({ "internal": listener.local_addr()? }))?;
    // SIGTERM and Ctrl-C: running invocations end, then the runner does.
    supervise(signals, |stop| serve(runner, listener, stop)).await;
    Ok(())
}
