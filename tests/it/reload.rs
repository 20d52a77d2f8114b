//! gateway.toml changes while the gateway runs: APIs are added, changed and removed, and open
//! connections stay open.

use std::{fs, path::PathBuf};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::join;

use crate::support::{
    backend::Backend,
    client::Client,
    process::Process,
    soon,
    world::{PATH, World, closing, data_send},
};

/// A gateway whose settings file can be changed.
struct ChangingGateway {
    folder: TempDir,
    gateway: Process,
}

fn api(id: &str, backend: &Backend) -> String {
    let url = &backend.url;
    format!(
        r#"
        [[api]]
        id = "{id}"
        path = "/{id}"
        register = "{url}/register"
        transmit = "{url}/transmit"
        cleanup = "{url}/cleanup"
        "#
    )
}

impl ChangingGateway {
    async fn start(head: &str, apis: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("gateway.toml"), text(head, apis)).unwrap();
        let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
        Self { folder, gateway }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    /// Changes the file as editors do: a new file replaces the old one.
    fn change(&self, head: &str, apis: &[String]) {
        let new = self.folder.path().join("gateway.toml.new");
        fs::write(&new, text(head, apis)).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    async fn connect(&self, path: &str) -> Client {
        Client::connect(self.gateway.address("public"), path).await.ok().unwrap()
    }

    /// Waits until clients are accepted at `path`, or refused with 404.
    async fn until_open(&self, path: &str, open: bool) {
        let expected = if open { None } else { Some(404) };
        loop {
            let refused = Client::connect(self.gateway.address("public"), path).await.err();
            if refused.map(|answer| answer.status().as_u16()) == expected {
                return;
            }
        }
    }

    async fn push(&self, api: &str, body: serde_json::Value) -> String {
        let url = format!("http://{}/{api}", self.gateway.address("internal"));
        let request = crate::support::access::operator().post(url).body(body.to_string());
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn end(self) {
        assert_eq!(self.gateway.stopped().await.code(), Some(0));
    }
}

fn text(head: &str, apis: &[String]) -> String {
    let common = r#"listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }"#;
    // Many tests leave clients open that never answer a Close.
    let common = format!("{common}\nconnection.close_timeout = '100ms'");
    format!("{common}\n{head}\n{}", apis.concat())
}

/// The messages, pushes and cleanup of a connection that is open when its API is changed, and when
/// the API is removed.
#[tokio::test]
async fn connections_stay_open_when_their_api_is_changed_or_removed() {
    let (old, new) = (Backend::start().await, Backend::start().await);
    let changing = ChangingGateway::start("", &[api("a", &old), api("b", &old)]).await;
    let mut client = changing.connect("/a").await;
    let id = old.next("register").await.id().to_owned();
    client.send("one").await;
    assert_eq!(old.next("transmit").await.data(), "one");

    // The API gets other functions, and another API is added.
    changing.change("", &[api("a", &new), api("b", &old), api("c", &old)]);
    changing.until_open("/c", true).await;
    client.send("two").await;
    assert_eq!(new.next("transmit").await.data(), "two");

    // The API is removed: new clients are refused, and the open connection stays open.
    changing.change("", &[api("b", &old)]);
    changing.until_open("/a", false).await;
    client.send("three").await;
    assert_eq!(new.next("transmit").await.data(), "three");
    assert!(changing.push("a", data_send(&id, "hello")).await.contains(r#""errNo":0"#));
    assert_eq!(client.receive_text().await, "hello");
    assert!(changing.push("a", closing(&id)).await.contains(r#""errNo":0"#));
    assert_eq!(client.closed().await, 1000);
    // `until_open` has opened other connections.
    while new.next("cleanup").await.id() != id {}
    changing.end().await;
}

/// A wrong address of a cleanup function can be corrected in the file.
#[tokio::test]
async fn an_owed_cleanup_goes_to_the_new_function() {
    let (old, new) = (Backend::start().await, Backend::start().await);
    old.always("cleanup", crate::support::backend::Reply::status(404));
    let changing = ChangingGateway::start("", &[api("a", &old)]).await;
    drop(changing.connect("/a").await);
    let id = old.next("cleanup").await.id().to_owned();
    changing.change("", &[api("a", &new)]);
    assert_eq!(new.next("cleanup").await.id(), id);
    changing.end().await;
}

#[tokio::test]
async fn a_broken_file_changes_nothing() {
    let backend = Backend::start().await;
    let changing = ChangingGateway::start("", &[api("a", &backend)]).await;
    let mut client = changing.connect("/a").await;
    for broken in ["[[api", "nonsense = 1\n", "connection.max = 'many'\n"] {
        changing.change(broken, &[api("b", &backend)]);
        changing.gateway.signal(Signal::SIGHUP);
    }
    // A valid file. The change of `connection.max` needs a restart, so it is only logged.
    changing.change("connection.max = 7\n", &[api("a", &backend), api("c", &backend)]);
    changing.until_open("/c", true).await;
    client.send("hello").await;
    assert_eq!(backend.next("transmit").await.data(), "hello");
    drop(changing.connect("/a").await);
    changing.end().await;
}

/// A program that saves a file in steps makes it empty first.
#[tokio::test]
async fn an_empty_file_changes_nothing() {
    let backend = Backend::start().await;
    let changing = ChangingGateway::start("", &[api("a", &backend)]).await;
    fs::write(changing.file(), "").unwrap();
    changing.gateway.logged("the settings stay as they are after a change of files").await;
    changing.gateway.signal(Signal::SIGHUP);
    changing.gateway.logged("the settings stay as they are after SIGHUP").await;
    drop(changing.connect("/a").await);
    changing.end().await;
}

#[tokio::test]
async fn sighup_reads_the_file_if_it_is_not_watched() {
    let backend = Backend::start().await;
    let head = "[reload]\nwatch = false\n";
    let changing = ChangingGateway::start(head, &[api("a", &backend)]).await;
    let mut client = changing.connect("/a").await;
    changing.change(head, &[api("a", &backend), api("b", &backend)]);
    changing.gateway.signal(Signal::SIGHUP);
    changing.until_open("/b", true).await;
    client.send("hello").await;
    assert_eq!(backend.next("transmit").await.data(), "hello");
    changing.end().await;
}

/// Settings with these limits for `api-test`, and with another API `id`.
fn with_limit(max_body: &str, max_message: &str, id: &str) -> String {
    format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        push = {{ max_body = "{max_body}" }}
        [[api]]
        id = "api-test"
        path = "{PATH}"
        register = "BACKEND/register"
        transmit = "BACKEND/transmit"
        cleanup = "BACKEND/cleanup"
        max_message = "{max_message}"
        [[api]]
        id = "{id}"
        path = "/{id}"
        transmit = "BACKEND/transmit"
        "#
    )
}

/// Waits until clients are accepted at `/<id>`.
async fn until_open(world: &World, id: &str) {
    soon("the API", async {
        while Client::connect(world.listeners.public, &format!("/{id}")).await.is_err() {}
    })
    .await;
}

/// A connection keeps the `max_message` that it was opened with.
#[tokio::test]
async fn a_push_that_is_too_large_for_an_older_connection_is_413() {
    let backend = Backend::start().await;
    let world = World::launch(backend, &with_limit("16MiB", "64KiB", "a")).await;
    let (mut old, register) = world.client().await;
    let old_id = register.id();
    world.change(&with_limit("16MiB", "2MiB", "b")).await;
    until_open(&world, "b").await;
    let large = "x".repeat(1 << 20);
    assert_eq!(world.push_text(old_id, &large).await, 413);
    assert_eq!(world.push_text(old_id, "small").await, 0);
    assert_eq!(old.receive_text().await, "small");
    let (mut new, register) = world.client().await;
    let (errno, received) = join!(world.push_text(register.id(), &large), new.receive_text());
    assert_eq!((errno, received.len()), (0, large.len()));
    world.finish().await;
}

/// A change of `push.max_body` needs a restart, so new limits of messages must fit into the old
/// value.
#[tokio::test]
async fn a_message_limit_that_no_push_body_can_hold_is_refused() {
    let backend = Backend::start().await;
    let world = World::launch(backend, &with_limit("2MiB", "1MiB", "a")).await;
    world.change(&with_limit("16MiB", "8MiB", "b")).await;
    world.change(&with_limit("16MiB", "1MiB", "c")).await;
    until_open(&world, "c").await;
    // The API was never added, so it is unknown.
    assert_eq!(world.push_bytes("b", "{}").await.0, 404);
    world.finish().await;
}

/// `connection.receive_memory` changes with a restart only, so new limits of messages must fit into
/// the old value.
#[tokio::test]
async fn a_message_limit_that_the_memory_cannot_hold_is_refused() {
    let backend = Backend::start().await;
    let head = "connection.receive_memory = '4MiB'\n";
    let changing = ChangingGateway::start(head, &[api("a", &backend)]).await;
    let larger = api("b", &backend) + "max_message = '2MiB'\n";
    changing.change("", &[api("a", &backend), larger]);
    changing.gateway.logged("connection.receive_memory is too small for the new settings").await;
    changing.change(head, &[api("a", &backend), api("c", &backend)]);
    changing.until_open("/c", true).await;
    assert_eq!(
        Client::connect(changing.gateway.address("public"), "/b")
            .await
            .err()
            .map(|answer| answer.status().as_u16()),
        Some(404)
    );
    drop(changing.connect("/a").await);
    changing.end().await;
}
