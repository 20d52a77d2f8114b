//! Commands of the documents are run, as they stand there, against a real process.

use std::{env, process::Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

use super::{
    blocks::{all_blocks, named, with},
    has,
    shell::{self, Longhold},
};
use crate::support::{
    access::{OPERATOR, write_secret},
    backend::{Backend, Reply},
    client::Client,
    process::Process,
    soon,
    world::World,
};

/// Commands that are not run here, and why not.
const ELSEWHERE: &[(&str, &str)] = &[
    ("cargo ", "run by .ci/run, and by whoever runs these tests"),
    ("RUSTDOCFLAGS=", "run by .ci/run"),
    ("docker ", "run by tests/compose"),
    ("docker-compose ", "run by tests/compose"),
    ("target/release/bench ", "each measure is run by bench/tests/measures.rs"),
    ("python3 bench/tls.py ", "a measure for people, which takes a minute"),
    ("pip install ", "run by .ci/run"),
    ("groupadd ", "makes users of the machine"),
    ("useradd ", "makes users of the machine"),
    ("(umask 027; openssl ", "writes to a folder of the machine"),
    ("chgrp ", "needs a group that is made before"),
    ("systemctl ", "needs systemd as the first process; the units are checked"),
    ("journalctl ", "needs systemd as the first process"),
    ("LONGHOLD_", "read by the settings, in settings.rs"),
    ("longhold up ", "projects of each shape run in up/"),
    ("longhold import ", "settings are made of a project in up/import.rs"),
    ("curl --cacert ", "a client that trusts the same file connects in tls/dev.rs"),
    ("certutil ", "run for the browser of browser/secure.rs"),
    ("export SECRET=", "run in service.rs"),
    ("python3 room.py", "run in service.rs"),
];

/// Blocks that are run here: the document, and a piece of the block.
const HERE: &[(&str, &str)] = &[
    ("README.md", "python3 -m websockets"),
    ("README.md", "curl http://127.0.0.1:9001/api-mine"),
    ("README.zh-CN.md", "python3 -m websockets"),
    ("README.zh-CN.md", "curl http://127.0.0.1:9001/api-mine"),
    ("docs/access.md", "TOKEN=$(cat data/operator.token)"),
    ("docs/access.md", "$PUSH_TOKEN/api-chat"),
    ("docs/functions.md", "ID=$(ls data/roster"),
    ("docs/functions.md", "curl http://127.0.0.1:9002/functions"),
    ("docs/operations.md", "curl -fsS http://127.0.0.1:9001/readyz"),
    ("docs/operations.md", "GATEWAY=http://127.0.0.1:9001"),
    ("docs/operations.md", "-X DELETE"),
    ("docs/operations.md", "jq -r"),
    ("docs/runtimes.md", "logs?tail=20&follow=true"),
    ("docs/troubleshooting.md", "logs?tail=20"),
    ("examples/bash-echo/README.md", "cargo run"),
    ("examples/lambda-echo/README.md", "cargo run"),
    ("examples/node-chat/README.md", "cargo run"),
    ("examples/own-runner/README.md", "cargo run"),
    ("examples/python-chat/README.md", "cargo run"),
];

#[test]
fn each_command_is_run_here_or_elsewhere() {
    let mut checked = 0;
    for block in all_blocks().into_iter().filter(|block| block.language == "sh") {
        checked += 1;
        let is_here = |(document, piece): &(&str, &str)| {
            block.document == *document && block.text.contains(piece)
        };
        if HERE.iter().any(is_here) {
            continue;
        }
        let text = block.text.replace("\\\n", " ");
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let is_known = ELSEWHERE.iter().any(|(begin, _)| line.starts_with(begin));
            assert!(is_known, "{}: nobody runs {line}", block.place());
        }
    }
    assert!(checked >= 15, "{checked}");
    for (document, piece) in HERE {
        with(document, "sh", piece);
    }
}

#[test]
fn each_block_has_a_language_that_a_test_knows() {
    let known = [
        "sh",
        "toml",
        "json",
        "yaml",
        "text",
        "python",
        "js",
        "rust",
        "nginx",
        "caddyfile",
        "haproxy",
        "ini",
    ];
    for block in all_blocks() {
        assert!(known.contains(&block.language.as_str()), "{}: {}", block.place(), block.language);
    }
}

#[tokio::test]
async fn pushes_of_functions_md_are_answered_as_it_says() {
    let longhold = Longhold::start().await;
    let mut client = longhold.connect("/release/chat").await;
    let block = with("docs/functions.md", "sh", "ID=$(ls data/roster");
    // The answers are comments below the commands.
    let expected = block.text.lines().filter_map(|line| line.strip_prefix("# {"));
    let expected: Vec<_> = expected.map(|line| format!("{{{line}")).collect();
    assert_eq!(expected.len(), 5);
    let said = longhold.run(&block).await;
    let answers: Vec<Value> =
        serde_json::Deserializer::from_str(&said).into_iter().map(Result::unwrap).collect();
    let expected: Vec<Value> =
        expected.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(answers, expected);
    assert_eq!(client.receive_text().await, "curl: hello");
    assert_eq!(client.receive().await.into_data().as_ref(), [0, 255]);
    assert_eq!(client.receive_text().await, "curl: all");
    assert_eq!(client.receive_text().await, "curl: bye");
    assert_eq!(client.closed().await, 1000);
}

#[tokio::test]
async fn invoking_by_hand_works() {
    let longhold = Longhold::start().await;
    let said = longhold.run(&with("docs/functions.md", "sh", "echo-transmit/invocations")).await;
    assert!(said.contains("HTTP/1.1 200 OK"), "{said}");
    assert!(said.ends_with(r#"{"errMsg":"ok","errNo":0}"#), "{said}");
}

#[tokio::test]
async fn what_to_watch_can_be_asked_for() {
    let longhold = Longhold::start().await;
    let said = longhold.run(&with("docs/operations.md", "sh", "curl -fsS")).await;
    for piece in [r#"{"message":"ready"}"#, r#""givenUp":0"#, r#""name":"chat-register""#] {
        assert!(said.contains(piece), "{said}");
    }
}

/// The commands of the operator, and those of a program with a token for the chat.
#[tokio::test]
async fn the_commands_of_access_md_are_let_in() {
    let longhold = Longhold::start().await;
    let said = longhold.run(&with("docs/access.md", "sh", "TOKEN=$(cat")).await;
    for piece in [r#""name":"chat-register""#, r#""givenUp":0"#] {
        assert!(said.contains(piece), "{said}");
    }
    let folder = tempfile::tempdir().unwrap();
    let secrets = folder.path().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    let block = named("docs/access.md", "toml", "gateway.toml");
    let made = block.text.split("made with: ").nth(1).unwrap().trim();
    assert_eq!(made, "(umask 077; openssl rand -hex 32 > secrets/push.token)");
    let token = "0123456789abcdef".repeat(4);
    write_secret(&secrets.join("push.token"), &format!("{token}\n"));
    let listen = "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n";
    let api = "[[api]]\nid = \"api-chat\"\npath = \"/chat\"\ntransmit = \"x\"\n";
    let text = [listen, "push.auth = \"token\"\n", &block.text, api].concat();
    std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
    let variables = [("LONGHOLD_GATEWAY__PUSH__AUTH", "token")];
    let gateway = Process::start("gateway", &[], folder.path(), &variables).await;
    let block = with("docs/access.md", "sh", "$PUSH_TOKEN/api-chat");
    let address = gateway.address("internal").to_string();
    let commands =
        format!("PUSH_TOKEN={token}\n{}", block.text.replace("127.0.0.1:9001", &address));
    let said = shell::run(&commands, folder.path(), &block.place()).await;
    assert_eq!(said.matches(r#""errNo":410"#).count(), 2, "{said}");
}

/// The log of a Rust function has the lines of its invocations.
#[tokio::test]
async fn logs_of_a_function_can_be_read_and_followed() {
    let longhold = Longhold::start().await;
    for (path, document, piece) in [
        ("/release/echo", "docs/troubleshooting.md", "logs?tail=20"),
        ("/release/chat", "docs/runtimes.md", "logs?tail=20&follow=true"),
    ] {
        let (mut client, mut other) = (longhold.connect(path).await, longhold.connect(path).await);
        client.send("hello").await;
        // The answer of the echo comes to the sender, that of the chat to the others.
        let receiver = if path == "/release/echo" { &mut client } else { &mut other };
        receiver.receive_text().await;
        let block = with(document, "sh", piece);
        let mut shell = Command::new("bash")
            .args(["-c", &longhold.here(&block.text)])
            .current_dir(longhold.folder.path())
            .env("no_proxy", "127.0.0.1")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines();
        let start = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.starts_with("data: START RequestId:") {
                    return;
                }
            }
            panic!("the log has no START");
        };
        soon("a line of the log", start).await;
    }
}

/// The settings and the curl of README.md, with the functions of the test.
#[tokio::test]
async fn readme_pushes_and_closes() {
    let world = readme_world().await;
    let mut client = Client::connect(world.listeners.public, "/release/mine").await.unwrap();
    let register = world.backend.next("register").await;
    let block = with("README.md", "sh", "curl http://127.0.0.1:9001/api-mine");
    let commands = block
        .text
        .replace("127.0.0.1:9001", &world.listeners.internal.to_string())
        .replace("6ppaYeGJTTOazqKsxlKxUAAAAA==", register.id());
    let folder = tempfile::tempdir().unwrap();
    let said = shell::run(&commands, folder.path(), &block.place()).await;
    assert_eq!(said, r#"{"errNo":0,"errMsg":"ok"}"#.repeat(2));
    assert_eq!(client.receive_text().await, "hello");
    assert_eq!(client.closed().await, 1000);
    world.finish().await;
}

async fn readme_world() -> World {
    let backend = Backend::start().await;
    let listen = "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n";
    let api = named("README.md", "toml", "gateway.toml").text;
    let text = api.replace("http://127.0.0.1:8000", "BACKEND");
    World::launch(backend, &format!("{listen}{text}")).await
}

/// Three cleanups are given up; they are listed, one is retried, one deleted, and the last retried
/// with all.
#[tokio::test]
async fn given_up_cleanups_are_listed_retried_and_deleted() {
    if !has("jq", "jq") {
        return;
    }
    let world = World::with("", "[cleanup]\nmax_age = \"1ms\"").await;
    world.backend.always("cleanup", Reply::status(500));
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (client, register) = world.client().await;
        client.close(1000.into()).await;
        ids.push(register.id().to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let sh = |piece: &str, id: &str| {
        let block = with("docs/operations.md", "sh", piece);
        let begin = format!(
            "GATEWAY=http://{}\nAS='Authorization: Bearer {OPERATOR}'\n",
            world.listeners.internal
        );
        let text = block.text.replace("GATEWAY=http://127.0.0.1:9001\n", "");
        let text = text.replace("AS=\"Authorization: Bearer $(cat data/operator.token)\"\n", "");
        let text = begin + &text.replace("6ppaYeGJTTOazqKsxlKxUAAAAA==", id);
        let folder = folder.path().to_owned();
        async move { shell::run(&text, &folder, &block.place()).await }
    };
    soon("three given-up cleanups", async {
        while !sh("GATEWAY=http", "").await.contains(r#""givenUp":3"#) {}
    })
    .await;
    world.backend.always("cleanup", Reply::ok());
    // Retried, then deleted: there is nothing left to delete.
    let said = sh("-X DELETE", &ids[0]).await;
    assert!(said.contains("delivered") && said.contains("no cleanup of this connection"), "{said}");
    let said = sh("jq -r", "").await;
    assert_eq!(said.matches("delivered").count(), 2, "{said}");
    assert!(sh("GATEWAY=http", "").await.contains(r#""givenUp":0"#));
    world.finish().await;
}

/// The command-line client of the READMEs, with one line typed into it.
#[tokio::test]
async fn the_command_line_client_talks_to_the_echo() {
    let Ok(python) = env::var("LONGHOLD_CLOUD_PYTHON") else {
        skipped::without("set LONGHOLD_CLOUD_PYTHON to a python3 with the package websockets");
        return;
    };
    let longhold = Longhold::start().await;
    let block = with("README.md", "sh", "python3 -m websockets");
    let command = block.text.lines().find(|line| line.starts_with("python3 ")).unwrap();
    let command = longhold.here(&command.replace("python3", &python));
    let mut client = Command::new("bash")
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = client.stdin.take().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    stdin.write_all(b"hello\n").await.unwrap();
    let answer = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("< hello") {
                return;
            }
        }
        panic!("no answer");
    };
    soon("the echo", answer).await;
}
