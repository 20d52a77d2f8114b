//! Libraries of Node, from a registry of the test.

use std::{collections::BTreeMap, process::Command};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{Place, only_note, said, write, yaml};

/// Serves packages, by the paths of their descriptions and of their archives, while the test runs.
async fn registry(names: &[&str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut answers = BTreeMap::new();
    for name in names {
        let package = format!(r#"{{"name": "{name}", "version": "2.9.0", "main": "index.js"}}"#);
        write(&folder.path().join("package/package.json"), &package);
        write(&folder.path().join("package/index.js"), &format!("module.exports = '{name}'"));
        let tar = Command::new("tar").args(["cz", "package"]).current_dir(folder.path()).output();
        let archive = format!("/{name}.tgz");
        let described = format!(
            r#"{{"name": "{name}", "dist-tags": {{"latest": "2.9.0"}}, "versions": {{"2.9.0":
            {{"name": "{name}", "version": "2.9.0", "dist": {{"tarball": "{address}{archive}"}}}}}}}}"#
        );
        answers.insert(archive, tar.unwrap().stdout);
        answers.insert(format!("/{name}"), described.into_bytes());
    }
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            answer(stream, &answers).await;
        }
    });
    address
}

async fn answer(stream: TcpStream, answers: &BTreeMap<String, Vec<u8>>) {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|bytes| bytes > 2) {
        let whole = std::mem::take(&mut line);
        first = if first.is_empty() { whole } else { first };
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, body) = answers.get(path).map_or((404, &b"{}"[..]), |body| (200, body));
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
    let _ = stream.shutdown().await;
}

/// A project in Node whose npm asks `registry`. None without npm.
fn place(files: &[(&str, &str)], registry: &str) -> Option<Place> {
    let mut place = Place::new(files, &[("npm_config_registry", registry.to_owned())]);
    for program in ["node", "npm", "tar"] {
        if Command::new(program).arg("--version").output().is_err() {
            skipped::without(format!("{program} is missing (apt-get install nodejs npm tar)"));
            return None;
        }
    }
    let cache = place.folder.path().join("npm").to_str().unwrap().to_owned();
    let more = [("npm_config_cache", cache), ("npm_config_fetch_retries", "0".to_owned())];
    place.variables.extend(more.map(|(key, value)| (key.to_owned(), value)));
    Some(place)
}

/// The release of Node in PATH, as the cloud would name it.
fn runtime() -> String {
    let version = Command::new("node").arg("--version").output().map(|output| output.stdout);
    let version = String::from_utf8(version.unwrap_or_default()).unwrap();
    format!("Nodejs{}", version.trim_start_matches('v').trim())
}

const USES_BOTH: &str = "const words = require('words')\nconst COS = require('cos-nodejs-sdk-v5')\n\
                         exports.main_handler = async () => words + COS\n";

#[tokio::test]
async fn what_functions_load_is_installed_once_beside_the_project() {
    let functions = yaml(&runtime(), &["a", "b", "c"]);
    let package = r#"{"dependencies": {"words": "^2", "mine": "file:../mine"},
        "scripts": {"postinstall": "exit 1"}}"#;
    let files = [
        ("serverless.yml", functions.as_str()),
        ("package.json", package),
        ("a/index.js", USES_BOTH),
        ("b/index.js", "require('words')"),
        ("c/index.js", "require('fs'); require('./helper')"),
        ("c/helper.js", ""),
    ];
    let registry = registry(&["words", "cos-nodejs-sdk-v5"]).await;
    let Some(place) = place(&files, &registry) else { return };
    let before = place.files();
    let libraries = place.install().await;
    only_note(&libraries, &["warning package.json:1: mine is not installed, because"]);
    assert_eq!(libraries.of.keys().collect::<Vec<_>>(), ["a", "b"]);
    let folder = &libraries.of["a"];
    assert_eq!(folder, &libraries.of["b"]);
    let progress = place.progress();
    assert!(progress[0].starts_with("installing words, cos-nodejs-sdk-v5 for a, b (Node "));
    assert!(progress.len() == 2 && progress[1].starts_with("installed in "), "{progress:?}");
    place.shell(
        "cd / && node -e 'require(\"words\"); require(\"cos-nodejs-sdk-v5\")'",
        &[("NODE_PATH", folder.to_str().unwrap().to_owned())],
    );
    assert_eq!(place.files(), before);
    let again = place.install().await;
    assert_eq!((again.of, place.progress()), (libraries.of, vec![]));
}

#[tokio::test]
async fn without_a_network_a_note_has_the_command_that_mends_it() {
    let functions = yaml(&runtime(), &["a"]);
    let files = [
        ("serverless.yml", functions.as_str()),
        ("a/index.js", USES_BOTH),
        ("a/package.json", r#"{"dependencies": {"words": "*"}}"#),
    ];
    let none = registry(&[]).await;
    let Some(place) = place(&files, &none) else { return };
    let libraries = place.install().await;
    let expected =
        "error serverless.yml:7: words, cos-nodejs-sdk-v5 could not be installed for a: npm said: ";
    let note = only_note(&libraries, &[expected, "404"]);
    let (_, command) = note.split_once("With a network, run: ").unwrap();
    let registry = registry(&["words", "cos-nodejs-sdk-v5"]).await;
    let command = command.to_owned();
    let place = tokio::task::spawn_blocking(move || {
        place.shell(&command, &[("npm_config_registry", registry)]);
        place
    });
    let place = place.await.unwrap();
    place.progress();
    let libraries = place.install().await;
    assert_eq!(said(&libraries.notes), [""; 0]);
    assert!(libraries.of["a"].join("words").is_dir());
    assert_eq!(place.progress(), [""; 0]);
}

#[tokio::test]
async fn packages_that_are_nowhere_or_not_found_by_import_are_named_with_their_line() {
    let functions = yaml(&runtime(), &["a"]);
    let files = [
        ("serverless.yml", functions.as_str()),
        (
            "a/index.js",
            "require('./b.mjs')\nrequire('nowhere')\ntry { require('other') } catch {}\n",
        ),
        ("a/b.mjs", "\nimport COS from 'cos-nodejs-sdk-v5'\n"),
    ];
    let registry = registry(&["cos-nodejs-sdk-v5"]).await;
    let Some(place) = place(&files, &registry) else { return };
    let libraries = place.install().await;
    let notes = said(&libraries.notes);
    let starts = [
        "warning a/b.mjs:2: cos-nodejs-sdk-v5 is loaded with import, which does not look",
        "warning a/index.js:2: the package nowhere is not there",
    ];
    assert_eq!(notes.len(), 2, "{notes:#?}");
    assert!(notes.iter().zip(starts).all(|(note, start)| note.starts_with(start)), "{notes:#?}");
}
