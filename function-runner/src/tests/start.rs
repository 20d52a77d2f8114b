//! Functions that do not start with their environment: at the start of the process, and when the
//! settings change.

use std::{collections::BTreeMap, path::Path};

use serde_json::json;
use tokio::sync::mpsc;

use super::{
    functions::{access, catalog, function, settings},
    server::Server,
};
use crate::{Runner, Settings};

#[tokio::test]
async fn all_functions_that_do_not_start_are_reported_with_their_keys() {
    let waits = |name: &str, gate: &str| {
        format!(
            "[functions.{name}]\nruntime = \"rust\"\nhandler = \"waits\"\n\
             environment = {{ {gate} }}\n"
        )
    };
    let text = [waits("a", ""), waits("b", "gate = \"x\""), function("returns", "")].concat();
    let variable = "LONGHOLD_FUNCTION_RUNNER__FUNCTIONS__B__ENVIRONMENT__GATE";
    let variables = BTreeMap::from([(variable.to_owned(), String::new())]);
    let file = Path::new("functions.toml");
    let settings = Settings::parse(file, &text, &variables, &BTreeMap::new(), &catalog());
    let mut settings = settings.unwrap();
    settings.access = access();
    let error = Runner::start(settings).unwrap_err();
    let what = "environment key gate is missing: set it in the environment of the function";
    let expected = format!(
        "bad settings\n  functions.toml: functions.a.environment.gate: {what}\n  \
         {variable}: {what}"
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn settings_with_a_function_that_does_not_start_change_nothing() {
    let (changes, new_settings) = mpsc::channel(1);
    let returns = function("returns", "");
    let server = Server::start_with_changes(&returns, new_settings).await;
    assert_eq!(server.invoke("returns", "1").await.status, 200);
    // Without the function that is there, and with one that does not start.
    changes.send(settings(&function("waits", ""))).await.unwrap();
    changes.send(settings(&[returns, function("context", "")].concat())).await.unwrap();
    while server.invoke("context", "{}").await.status != 200 {}
    // A function that was removed and added again would have an empty log.
    let log = server.get("/functions/returns/logs").await;
    assert!(String::from_utf8(log.body).unwrap().contains("START RequestId:"));
    let functions = server.get("/functions").await.json();
    assert_eq!(functions["functions"].as_array().unwrap().len(), 2, "{functions}");
    assert_eq!(functions["functions"][0]["name"], json!("context"));
    server.stop().await;
}
