//! The services of docs/functions.md, in Python, behind a gateway with the settings beside them.

use std::{fs, process::Stdio};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
};

use super::{
    blocks::{Block, blocks, named, with},
    has, shell,
};
use crate::support::{backend::Backend, client::Client, soon, world::World};

const DOCUMENT: &str = "docs/functions.md";
const WRAPPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/documents/service.py");
const SECRET: &str = "a long random text";

/// A running service; it ends when this is dropped.
struct Service {
    url: String,
    stdin: ChildStdin,
    _child: Child,
}

impl Service {
    async fn start(folder: &TempDir, program: &Block) -> Self {
        let file = folder.path().join(&program.name);
        fs::write(&file, &program.text).unwrap();
        let mut child = Command::new("python3")
            .arg(WRAPPER)
            .arg(file)
            .current_dir(folder.path())
            .env("SECRET", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        soon("the port of a service", stdout.read_line(&mut port)).await.unwrap();
        tokio::spawn(async move { tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await });
        let stdin = child.stdin.take().unwrap();
        Self { url: format!("http://127.0.0.1:{}", port.trim()), stdin, _child: child }
    }

    /// A gateway with the settings of the document that name this service.
    async fn behind_gateway(&mut self, settings: &Block) -> World {
        let listen = "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n";
        let text = settings.text.replace("http://127.0.0.1:8000", &self.url);
        let world = World::launch(Backend::start().await, &format!("{listen}{text}")).await;
        let push = format!("http://{}\n", world.listeners.internal);
        self.stdin.write_all(push.as_bytes()).await.unwrap();
        world
    }
}

fn settings(id: &str) -> Block {
    let mut blocks = blocks(DOCUMENT).into_iter().filter(|block| block.name == "gateway.toml");
    blocks.find(|block| block.text.contains(&format!("id = \"{id}\""))).unwrap()
}

#[tokio::test]
async fn the_whole_service_in_python_is_one() {
    if !has("python3", "python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(&folder, &named(DOCUMENT, "python", "app.py")).await;
    let world = service.behind_gateway(&settings("api-mine")).await;
    let refused = Client::connect(world.listeners.public, "/release/mine").await.err().unwrap();
    assert_eq!(refused.status(), 403);
    let path = "/release/mine?name=anna";
    let mut client = Client::connect(world.listeners.public, path).await.unwrap();
    client.send("hello").await;
    assert_eq!(client.receive_text().await, "hello");
    client.close(1000.into()).await;
    world.finish().await;
}

/// How many connections the service has written down.
async fn count_roster(folder: &TempDir) -> String {
    let count = "import sqlite3; roster = sqlite3.connect('roster.sqlite'); \
                 print(*roster.execute('select count(*) from roster').fetchone())";
    shell::run(&format!("python3 -c \"{count}\""), folder.path(), "the roster").await
}

#[tokio::test]
async fn the_service_with_tokens_lets_in_who_has_one_and_knows_who_is_there() {
    if !has("python3", "python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(&folder, &named(DOCUMENT, "python", "room.py")).await;
    let world = service.behind_gateway(&settings("api-room")).await;
    // The command of the document, without the one that starts the service.
    let block = with(DOCUMENT, "sh", "python3 room.py token anna");
    assert!(block.text.contains(&format!("export SECRET=\"{SECRET}\"")));
    let commands = block.text.replace("python3 room.py &\n", "");
    let commands = format!("{commands}\n{}", commands.replace("anna", "ben"));
    let tokens = shell::run(&commands, folder.path(), &block.place()).await;
    let (token, bens) = tokens.trim().split_once('\n').unwrap();

    let enter = async |token: &str| {
        let path = format!("/release/room?token={token}");
        Client::connect(world.listeners.public, &path).await
    };
    let (user, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let late = format!("{user}.9999999999.{signature}");
    for wrong in ["", "anna", "%E4%BD%A0", &late, &token.replace("anna", "root")] {
        let refused = enter(wrong).await.err().unwrap();
        assert_eq!(refused.status(), 403, "{wrong}");
        let body = String::from_utf8_lossy(refused.body()).into_owned();
        assert_eq!(body, r#"{"message":"log in first"}"#);
    }
    let mut anna = enter(token).await.unwrap();
    let mut ben = enter(bens).await.unwrap();
    anna.send("hello").await;
    assert_eq!(anna.receive_text().await, "anna: hello");
    assert_eq!(ben.receive_text().await, "anna: hello");
    ben.close(1000.into()).await;
    anna.close(1000.into()).await;
    // All cleanups have been delivered by then.
    world.finish().await;
    assert_eq!(count_roster(&folder).await, "0\n");
}
