//! Each folder of `examples/` works as it is, by the command of its README, in a fresh clone.

mod clone;

use std::fs;

use cargo_metadata::{Metadata, MetadataCommand, TargetKind};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use self::clone::Clone;
use super::{
    blocks::{ROOT, blocks},
    has,
};
use crate::support::client::Client;

/// The examples that the tests below run.
const TESTED: [&str; 5] = ["bash-echo", "lambda-echo", "node-chat", "own-runner", "python-chat"];

#[test]
fn each_folder_of_examples_has_a_test_and_one_command() {
    let folders = fs::read_dir(format!("{ROOT}/examples")).unwrap();
    let mut names: Vec<_> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, TESTED);
    for name in names {
        let blocks = blocks(&format!("examples/{name}/README.md"));
        assert_eq!(blocks.len(), 1, "{name}: {blocks:?}");
        assert_eq!(blocks[0].language, "sh");
    }
}

/// The clones have no Cargo: it could run what the commands name.
#[test]
fn cargo_knows_what_the_commands_name() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let root = metadata.root_package().unwrap().name.as_str();
    assert_eq!(targets(&metadata, root, &TargetKind::Bin), ["longhold"]);
    assert!(targets(&metadata, root, &TargetKind::Example).contains(&"own-runner".to_owned()));
    assert_eq!(targets(&metadata, "gateway", &TargetKind::Bin), ["gateway"]);
    assert_eq!(targets(&metadata, "lambda-echo", &TargetKind::Bin), ["bootstrap"]);
}

fn targets(metadata: &Metadata, package: &str, kind: &TargetKind) -> Vec<String> {
    let mut packages = metadata.packages.iter();
    let package = packages.find(|found| found.name.as_str() == package).unwrap();
    let targets = package.targets.iter().filter(|target| target.kind.contains(kind));
    targets.map(|target| target.name.clone()).collect()
}

/// Each event of a connection has another function, and each function other processes. All of them
/// must have the same roster.
async fn check_chat(name: &str) {
    let mut clone = Clone::run(name, 1).await;
    let address = clone.public();
    let page = crate::support::access::get(format!("http://{address}/")).await.unwrap();
    assert!(page.text().await.unwrap().contains("chat.js"));
    let connect = || Client::connect(address, "/release/chat");
    // At once, so that register runs in several processes.
    let (anna, ben, carl) = tokio::join!(connect(), connect(), connect());
    let (mut anna, mut ben, mut carl) = (anna.unwrap(), ben.unwrap(), carl.unwrap());
    anna.send("hello \u{4f60}").await;
    for other in [&mut ben, &mut carl] {
        assert_eq!(other.receive_text().await, "hello \u{4f60}(===Online people:3===)");
    }
    ben.send("hi").await;
    assert_eq!(anna.receive_text().await, "hi(===Online people:3===)");
    // As the page connects.
    let mut dora = Client::connect(address, "/release/chat?online=1").await.unwrap();
    assert_eq!(dora.receive_text().await, "(===Online people:4===)");
    clone.stop();
    for client in [&mut anna, &mut ben, &mut carl, &mut dora] {
        assert_eq!(client.closed().await, 1001);
    }
    let roster = clone.folder.path().join(format!("examples/{name}/data/roster"));
    clone.ended().await;
    assert_eq!(fs::read_dir(roster).unwrap().count(), 0, "the roster is not empty");
}

async fn check_echo(name: &str) {
    let mut clone = Clone::run(name, 1).await;
    let mut client = Client::connect(clone.public(), "/release/echo").await.unwrap();
    client.send("hello \u{4f60}").await;
    assert_eq!(client.receive_text().await, "hello \u{4f60}");
    clone.stop();
    assert_eq!(client.closed().await, 1001);
    clone.ended().await;
}

#[tokio::test]
async fn the_chat_in_python_runs_by_its_command() {
    if has("python3", "python3") {
        Box::pin(check_chat("python-chat")).await;
    }
}

#[tokio::test]
async fn the_chat_in_node_runs_by_its_command() {
    if has("node", "nodejs") {
        Box::pin(check_chat("node-chat")).await;
    }
}

#[tokio::test]
async fn the_echo_in_bash_runs_by_its_command() {
    if has("curl", "curl") {
        check_echo("bash-echo").await;
    }
}

#[tokio::test]
async fn the_echo_for_lambda_runs_by_its_command() {
    check_echo("lambda-echo").await;
}

#[tokio::test]
async fn the_runner_with_a_function_of_its_own_runs_by_its_command() {
    let mut clone = Clone::run("own-runner", 2).await;
    let refused = Client::connect(clone.public(), "/release/echo").await.err().unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(String::from_utf8_lossy(refused.body()), r#"{"message":"wrong token"}"#);
    let mut client =
        Client::connect(clone.public(), "/release/echo?token=let-me-in").await.unwrap();
    client.send("hello").await;
    assert_eq!(client.receive_text().await, "hello");
    client.close(CloseCode::Normal).await;
    clone.stop();
    clone.ended().await;
}
