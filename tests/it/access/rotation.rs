//! A token of pushes is replaced by another one while clients are connected.

use std::{fs, path::Path};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::{
    access::write_secret, backend::Backend, client::Client, process::Process, soon,
    world::data_send,
};

const OLD: &str = "the-old-token-of-the-program";
const NEW: &str = "the-new-token-of-the-program";

fn settings(folder: &TempDir, backend: &Backend, tokens: &str) {
    let url = &backend.url;
    let text = format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        push.auth = "token"
        {tokens}
        [[api]]
        id = "api-test"
        path = "/test"
        register = "{url}/register"
        transmit = "{url}/transmit"
        "#
    );
    fs::write(folder.path().join("gateway.toml"), text).unwrap();
}

/// The status of a push with `token` to the client with this id, and whether the log may show it.
async fn push(gateway: &Process, token: &str, id: &str) -> u16 {
    let url = format!("http://{}/~/t/{token}/api-test", gateway.address("internal"));
    let request = reqwest::Client::new().post(url).body(data_send(id, token).to_string()).send();
    soon("an answer", request).await.unwrap().status().as_u16()
}

/// Waits until the gateway uses settings that let `token` push, or not.
async fn until(gateway: &Process, token: &str, status: u16) {
    soon("new settings", async { while push(gateway, token, "nobody").await != status {} }).await;
}

#[tokio::test]
async fn a_token_is_replaced_without_a_dropped_connection_or_a_lost_push() {
    let (folder, backend) = (tempfile::tempdir().unwrap(), Backend::start().await);
    let file = |name: &str| folder.path().join(name);
    write_secret(&file("push.token"), &format!("{OLD}\n"));
    let in_file = "[[push.tokens]]\napis = [\"api-test\"]\ntoken_file = \"push.token\"\n";
    settings(&folder, &backend, in_file);
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    let mut client = Client::connect(gateway.address("public"), "/test").await.unwrap();
    let id = backend.next("register").await.id().to_owned();
    assert_eq!(push(&gateway, OLD, &id).await, 200);
    assert_eq!(client.receive_text().await, OLD);
    assert_eq!(push(&gateway, NEW, &id).await, 401);

    // Both are good while programs change from one to the other.
    let both = format!("{in_file}[[push.tokens]]\napis = [\"api-test\"]\ntoken = \"{NEW}\"\n");
    settings(&folder, &backend, &both);
    gateway.signal(Signal::SIGHUP);
    until(&gateway, NEW, 200).await;
    for token in [OLD, NEW] {
        assert_eq!(push(&gateway, token, &id).await, 200);
        assert_eq!(client.receive_text().await, token);
    }
    settings(&folder, &backend, &both.replace(in_file, ""));
    gateway.signal(Signal::SIGHUP);
    until(&gateway, OLD, 401).await;

    // The file alone changes. A file that is none is not taken up, and what was good stays good.
    settings(&folder, &backend, in_file);
    gateway.signal(Signal::SIGHUP);
    until(&gateway, OLD, 200).await;
    write_secret(&file("push.token"), "short");
    gateway.logged("push.tokens[0].token_file: is shorter than 16 characters").await;
    // Whoever meant to revoke the old token learns that it is still good.
    gateway.logged("and all earlier tokens and keys stay in use: ").await;
    assert_eq!(push(&gateway, OLD, &id).await, 200);
    assert_eq!(client.receive_text().await, OLD);
    replace(&file("push.token"), NEW);
    until(&gateway, NEW, 200).await;
    assert_eq!(push(&gateway, OLD, &id).await, 401);
    assert_eq!(push(&gateway, NEW, &id).await, 200);
    assert_eq!(client.receive_text().await, NEW);

    // No line of the log has a token that is good or was good, or one in a path.
    gateway.signal(Signal::SIGTERM);
    let log = gateway.ended_with_log().await;
    assert!(!log.contains(OLD) && !log.contains(NEW), "{log}");
    assert!(log.contains("/~/t/the-…/api-test"), "{log}");
    backend.stop();
}

fn replace(file: &Path, text: &str) {
    let draft = file.with_extension("new");
    write_secret(&draft, text);
    fs::rename(draft, file).unwrap();
}
