//! The cloud's client libraries for Python and Node, with signatures on.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use super::server::{BUCKET, Runs, SECRET_ID, SECRET_KEY, client, end, long, url};
use crate::support::process::Process;

const PYTHON: &str = include_str!("sdk/client.py");
const NODE: &str = include_str!("sdk/client.js");
/// So many keys are listed in pages.
const KEYS: usize = 10_000;

/// A client library, and the program with which it runs.
#[derive(Debug, Clone, Copy)]
enum Library {
    Python,
    Node,
}

impl Library {
    /// The script that uses all that is served.
    fn script(self) -> &'static str {
        match self {
            Self::Python => PYTHON,
            Self::Node => NODE,
        }
    }

    /// The command that runs a script. None if this machine has no such library.
    fn command(self, script: &str) -> Option<Command> {
        match self {
            Self::Python => {
                let python = env::var("LONGHOLD_CLOUD_PYTHON").ok().filter(|python| {
                    let mut tried = std::process::Command::new(python);
                    tried.args(["-c", "import qcloud_cos"]).stderr(Stdio::null());
                    tried.status().is_ok_and(|status| status.success())
                });
                let Some(python) = python else {
                    skipped::without(
                        "set LONGHOLD_CLOUD_PYTHON to a python3 with the package cos-python-sdk-v5",
                    );
                    return None;
                };
                let mut command = Command::new(python);
                command.args(["-c", script]);
                Some(command)
            }
            Self::Node => {
                let folder = env::var("LONGHOLD_NODE_LIBRARIES").ok();
                let modules = folder.map(|folder| Path::new(&folder).join("node_modules"));
                let is_there = |modules: &PathBuf| modules.join("cos-nodejs-sdk-v5").exists();
                let Some(modules) = modules.filter(is_there) else {
                    skipped::without(
                        "set LONGHOLD_NODE_LIBRARIES to a folder whose node_modules has \
                         cos-nodejs-sdk-v5",
                    );
                    return None;
                };
                let mut command = Command::new("node");
                command.args(["-e", script]).env("NODE_PATH", modules);
                Some(command)
            }
        }
    }
}

/// Runs a part of the script of `library`, which fails if something is not as it has to be.
async fn run(library: Library, part: &str, input: &Value) -> Option<Value> {
    let command = library.command(library.script())?;
    let mut input = input.clone();
    input["part"] = part.into();
    let output = output(command, &input.to_string()).await;
    Some(serde_json::from_str(&output).unwrap())
}

/// What a command prints, which must succeed.
async fn output(mut command: Command, input: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = long("the output of the client", child.wait_with_output()).await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn input(port: u16, folder: &Path) -> Value {
    json!({
        "port": port, "bucket": BUCKET, "id": SECRET_ID, "key": SECRET_KEY,
        "folder": folder.to_str().unwrap(),
    })
}

/// Runs a part of the script against a store that checks signatures.
async fn check(library: Library, part: &str) {
    let runs = Runs::new();
    let store = runs.start_with_credentials().await;
    let input = input(store.address("internal").port(), runs.folder.path());
    if run(library, part, &input).await.is_some() {
        let log = store.log();
        assert!(!log.contains(SECRET_KEY) && !log.contains("q-signature"), "{log}");
    }
    end(store).await;
}

#[tokio::test]
async fn python_puts_lists_and_deletes_a_thousand_objects() {
    check(Library::Python, "thousand").await;
}

#[tokio::test]
async fn node_puts_lists_and_deletes_a_thousand_objects() {
    check(Library::Node, "thousand").await;
}

#[tokio::test]
async fn python_uses_all_that_is_served() {
    check(Library::Python, "features").await;
}

#[tokio::test]
async fn node_uses_all_that_is_served() {
    check(Library::Node, "features").await;
}

#[tokio::test]
async fn python_uploads_in_parts() {
    check(Library::Python, "multipart").await;
}

#[tokio::test]
async fn node_uploads_in_parts() {
    check(Library::Node, "multipart").await;
}

#[tokio::test]
async fn a_wrong_secret_is_refused_as_the_cloud_does() {
    check(Library::Python, "secrets").await;
    check(Library::Node, "secrets").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_keys_are_listed_in_pages() {
    let runs = Runs::new();
    let store = runs.start().await;
    let (address, client) = (store.address("internal"), client());
    let keys = (0..KEYS).map(|number| format!("pages/{:02}/{number:05}", number % 7));
    let put = |key: String| {
        let request = client.put(url(address, &key)).header("content-length", 0);
        async move { assert_eq!(request.send().await.unwrap().status(), 200) }
    };
    long("all puts", stream::iter(keys).map(put).buffer_unordered(16).collect::<Vec<_>>()).await;
    end(store).await;

    let store = runs.start_with_credentials().await;
    let mut input = input(store.address("internal").port(), runs.folder.path());
    input["keys"] = KEYS.into();
    for library in [Library::Python, Library::Node] {
        let Some(found) = run(library, "pages", &input).await else { continue };
        let folders: Vec<_> = (0..7).map(|number| format!("pages/{number:02}/")).collect();
        assert_eq!(found, json!({ "keys": KEYS, "pages": 10, "folders": folders }), "{library:?}");
    }
    end(store).await;
}

#[tokio::test]
async fn the_samples_of_the_document_run() {
    let document = include_str!("../../../docs/cos.md");
    let block = |language: &str| {
        let (_, rest) = document.split_once(&format!("```{language}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    let folder = tempfile::tempdir().unwrap();
    let settings = block("toml cos.toml").replace("127.0.0.1:9003", "127.0.0.1:0");
    fs::write(folder.path().join("cos.toml"), settings).unwrap();
    let store = Process::start("cos", &[], folder.path(), &[]).await;
    let port = store.address("internal").port().to_string();
    for (library, language) in [(Library::Python, "python"), (Library::Node, "js")] {
        let Some(command) = library.command(&block(language).replace("9003", &port)) else {
            continue;
        };
        let printed = output(command, "").await;
        assert!(printed.contains("'hello'"), "{library:?}: {printed}");
    }
    end(store).await;
}
