//! `longhold import` writes the settings, which then run without the project's own files.

use std::fs;

use nix::sys::signal::Signal;

use super::sample::{Sample, can_run};
use crate::support::{client::Client, soon};

#[tokio::test]
async fn imported_settings_run_like_the_project() {
    if !can_run("node") {
        return;
    }
    let sample = Sample::of("websocket");
    let to = sample.beside("settings");
    let arguments = ["import", sample.folder().to_str().unwrap(), "--to", to.to_str().unwrap()]
        .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let exit = sample.run(&arguments).await;
    assert_eq!(exit.status.code(), Some(0), "{}", exit.stderr);
    let gateway = fs::read_to_string(to.join("gateway.toml")).unwrap();
    assert!(gateway.contains("[[api]]  # serverless.yml:1"), "{gateway}");

    let longhold = sample.longhold(&["--config-dir", to.to_str().unwrap()]).await;
    let mut client = Client::connect(longhold.address("public"), "/release").await.ok().unwrap();
    client.send("hi").await;
    assert_eq!(client.receive_text().await, "{\"greeting\":\"hello\",\"data\":\"hi\"}");
    longhold.signal(Signal::SIGTERM);
    assert!(soon("the end", longhold.ended()).await.success());

    // What the user may have changed by now stays.
    let exit = sample.run(&arguments).await;
    assert_eq!(exit.status.code(), Some(1));
    assert!(exit.stderr.contains("already, which is not overwritten"), "{}", exit.stderr);
    assert_eq!(fs::read_to_string(to.join("gateway.toml")).unwrap(), gateway);
    sample.check_untouched();
}
