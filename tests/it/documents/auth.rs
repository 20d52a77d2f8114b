//! The ways of docs/auth.md to prove who a client is: the programs run behind a gateway with the
//! settings beside them.

use std::{env, fs};

use serde_json::{Value, json};
use tokio::process::Command;

use super::blocks::{blocks, named};
use crate::support::{
    backend::{Backend, Reply},
    soon,
    world::World,
};

const DOCUMENT: &str = "docs/auth.md";

/// A gateway with the settings of the document that have `piece`, and an echo as its function.
async fn world(piece: &str) -> World {
    let mut settings = blocks(DOCUMENT).into_iter().filter(|block| block.name == "gateway.toml");
    let settings = settings.find(|block| block.text.contains(piece)).unwrap();
    let listen = "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n";
    let functions = "\"BACKEND/transmit\"\nregister = \"BACKEND/register\"\n\
                     cleanup = \"BACKEND/cleanup\"\nreply = true";
    let text = settings.text.replace("\"echo-transmit\"", functions);
    let world = World::launch(Backend::start().await, &format!("{listen}{text}")).await;
    world.backend.on("transmit", |call| async move {
        let websocket = json!({
            "action": "data send", "secConnectionID": call.id(), "dataType": "text",
            "data": call.data(),
        });
        Reply::json(&json!({ "websocket": websocket }))
    });
    world
}

/// Runs a program of the document. Returns what it prints, and the identity that register learned.
async fn run(world: &World, program: &str) -> Option<(String, Value)> {
    let Ok(python) = env::var("LONGHOLD_CLOUD_PYTHON") else {
        skipped::without(
            "set LONGHOLD_CLOUD_PYTHON to a python3 with the packages websockets and PyJWT",
        );
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let address = world.listeners.public.to_string();
    let text = named(DOCUMENT, "python", program).text.replace("127.0.0.1:9000", &address);
    let file = folder.path().join(program);
    fs::write(&file, text).unwrap();
    let running = Command::new(python).arg(file).kill_on_drop(true).output();
    let output = soon("the end of the program", running).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let event = world.backend.next("register").await.event;
    let printed = String::from_utf8(output.stdout).unwrap();
    Some((printed, event["requestContext"]["identity"].clone()))
}

#[tokio::test]
async fn the_program_that_signs_with_a_key_pair_is_let_in() {
    let world = world("[[api.key_pairs]]").await;
    let Some((printed, identity)) = run(&world, "signed.py").await else { return };
    assert_eq!(printed, "hello\n");
    assert_eq!(identity, json!({ "secretId": "AKIDexample" }));
    world.finish().await;
}

#[tokio::test]
async fn the_program_with_a_token_is_let_in() {
    let world = world("[api.jwt]").await;
    let Some((printed, identity)) = run(&world, "bearer.py").await else { return };
    assert_eq!(printed, "hello\n");
    assert_eq!(identity["claims"]["sub"], "anna");
    world.finish().await;
}
