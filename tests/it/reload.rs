//! gateway.toml changes while the gateway runs: APIs come, change and go, and connections live on.

use std::{fs, path::PathBuf};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::join;

use crate::support::{
    backend::Backend,
    client::Client,
    process::Process,
    world::{PATH, World, closing, data_send},
};

/// A gateway whose file can be changed.
struct Changing {
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

impl Changing {
    async fn start(head: &str, apis: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("gateway.toml"), text(head, apis)).unwrap();
        let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
        Self { folder, gateway }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    /// Writes the file as editors do: a new one takes the place of the old one.
    fn change(&self, head: &str, apis: &[String]) {
        let new = self.folder.path().join("gateway.toml.new");
        fs::write(&new, text(head, apis)).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    async fn connect(&self, path: &str) -> Client {
        Client::connect(self.gateway.door("public"), path).await.ok().unwrap()
    }

    /// Waits until clients are taken in at `path`, or not any more.
    async fn until_open(&self, path: &str, open: bool) {
        let expected = if open { None } else { Some(404) };
        loop {
            let refused = Client::connect(self.gateway.door("public"), path).await.err();
            if refused.map(|answer| answer.status().as_u16()) == expected {
                return;
            }
        }
    }

    async fn push(&self, api: &str, body: serde_json::Value) -> String {
        let url = format!("http://{}/{api}", self.gateway.door("internal"));
        let request = reqwest::Client::new().post(url).body(body.to_string());
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn end(self) {
        self.gateway.signal(Signal::SIGTERM);
        assert_eq!(self.gateway.ended().await.code(), Some(0));
    }
}

fn text(head: &str, apis: &[String]) -> String {
    let doors = r#"listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }"#;
    // Clients that a test has left lying are not waited for.
    let doors = format!("{doors}\nconnection.close_timeout = '100ms'");
    format!("{doors}\n{head}\n{}", apis.concat())
}

/// The messages, pushes and cleanup of a connection that was open when its API changed, and when
/// it went.
#[tokio::test]
async fn connections_live_on_while_their_api_changes_and_goes() {
    let (old, new) = (Backend::start().await, Backend::start().await);
    let changing = Changing::start("", &[api("a", &old), api("b", &old)]).await;
    let mut client = changing.connect("/a").await;
    let id = old.next("register").await.id().to_owned();
    client.send("one").await;
    assert_eq!(old.next("transmit").await.data(), "one");

    // Its functions are others now; and there is one API more.
    changing.change("", &[api("a", &new), api("b", &old), api("c", &old)]);
    changing.until_open("/c", true).await;
    client.send("two").await;
    assert_eq!(new.next("transmit").await.data(), "two");

    // It goes: nobody new is taken in, and who is there stays.
    changing.change("", &[api("b", &old)]);
    changing.until_open("/a", false).await;
    client.send("three").await;
    assert_eq!(new.next("transmit").await.data(), "three");
    assert!(changing.push("a", data_send(&id, "hello")).await.contains(r#""errNo":0"#));
    assert_eq!(client.receive_text().await, "hello");
    assert!(changing.push("a", closing(&id)).await.contains(r#""errNo":0"#));
    assert_eq!(client.closed().await, 1000);
    // Others were let in on the way.
    while new.next("cleanup").await.id() != id {}
    changing.end().await;
}

/// A cleanup that fails for its address is mended by a change of the file.
#[tokio::test]
async fn a_cleanup_that_is_owed_goes_to_the_new_function() {
    let (old, new) = (Backend::start().await, Backend::start().await);
    old.always("cleanup", crate::support::backend::Reply::status(404));
    let changing = Changing::start("", &[api("a", &old)]).await;
    drop(changing.connect("/a").await);
    let id = old.next("cleanup").await.id().to_owned();
    changing.change("", &[api("a", &new)]);
    assert_eq!(new.next("cleanup").await.id(), id);
    changing.end().await;
}

#[tokio::test]
async fn a_broken_file_changes_nothing() {
    let backend = Backend::start().await;
    let changing = Changing::start("", &[api("a", &backend)]).await;
    let mut client = changing.connect("/a").await;
    // The journal of another is not looked at: what takes a restart is only said.
    for broken in ["[[api", "nonsense = 1\n", "connection.max = 'many'\n"] {
        changing.change(broken, &[api("b", &backend)]);
        changing.gateway.signal(Signal::SIGHUP);
    }
    changing.change("connection.max = 7\n", &[api("a", &backend), api("c", &backend)]);
    changing.until_open("/c", true).await;
    client.send("hello").await;
    assert_eq!(backend.next("transmit").await.data(), "hello");
    drop(changing.connect("/a").await);
    changing.end().await;
}

#[tokio::test]
async fn sighup_reads_the_file_where_it_is_not_watched() {
    let backend = Backend::start().await;
    let head = "[reload]\nwatch = false\n";
    let changing = Changing::start(head, &[api("a", &backend)]).await;
    let mut client = changing.connect("/a").await;
    changing.change(head, &[api("a", &backend), api("b", &backend)]);
    changing.gateway.signal(Signal::SIGHUP);
    changing.until_open("/b", true).await;
    client.send("hello").await;
    assert_eq!(backend.next("transmit").await.data(), "hello");
    changing.end().await;
}

/// A world in which messages of `api-test` are as large as this; `id` is another API that it has.
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

/// Waits until clients are taken in at `/<id>`.
async fn until_open(world: &World, id: &str) {
    while Client::connect(world.doors.public, &format!("/{id}")).await.is_err() {}
}

/// A connection that was made for smaller messages is not taken for gone.
#[tokio::test]
async fn a_push_that_an_older_connection_cannot_take_is_413() {
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

/// `push.max_body` takes a restart, so it is the old one that new limits have to fit into.
#[tokio::test]
async fn messages_that_no_push_could_bring_are_not_allowed() {
    let backend = Backend::start().await;
    let world = World::launch(backend, &with_limit("2MiB", "1MiB", "a")).await;
    world.change(&with_limit("16MiB", "8MiB", "b")).await;
    world.change(&with_limit("16MiB", "1MiB", "c")).await;
    until_open(&world, "c").await;
    // An API that there ever was would be known.
    assert_eq!(world.push_bytes("b", "{}").await.0, 404);
    world.finish().await;
}
