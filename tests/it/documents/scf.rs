//! The functions for SCF of docs/functions.md, run by the function-runner, and called: by a client,
//! and by the cloud's own client library.

use std::{env, fs, path::Path};

use tempfile::TempDir;

use super::{
    blocks::{blocks, named},
    has,
    shell::{self, Longhold},
};

const DOCUMENT: &str = "docs/functions.md";

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The settings of functions in a document that have `piece`.
fn functions_toml(document: &str, piece: &str) -> String {
    let mut blocks = blocks(document).into_iter().filter(|block| block.name == "functions.toml");
    blocks.find(|block| block.text.contains(piece)).unwrap().text
}

/// A `longhold` whose one API calls the function `mine-transmit`.
async fn with_transmit(functions: &str, files: &[(&str, &str)]) -> Longhold {
    let folder = TempDir::new().unwrap();
    let api =
        "[[api]]\nid = \"api-mine\"\npath = \"/release/mine\"\ntransmit = \"mine-transmit\"\n";
    write(folder.path(), "gateway.toml", api);
    write(folder.path(), "functions.toml", functions);
    for (file, text) in files {
        write(folder.path(), file, text);
    }
    Longhold::start_in(folder, &[]).await
}

async fn echoes(longhold: &Longhold) {
    let mut client = longhold.connect("/release/mine").await;
    client.send("hello \u{4f60}").await;
    assert_eq!(client.receive_text().await, "hello \u{4f60}");
}

#[tokio::test]
async fn the_function_in_python_answers_its_client() {
    if !has("python3", "python3") {
        return;
    }
    let code = named(DOCUMENT, "python", "index.py").text;
    for document in [DOCUMENT, "README.md"] {
        let settings = functions_toml(document, "[functions.mine-transmit]");
        let longhold = with_transmit(&settings, &[("functions/mine/index.py", &code)]).await;
        echoes(&longhold).await;
    }
}

#[tokio::test]
async fn the_function_in_javascript_answers_its_client() {
    if !has("node", "nodejs") {
        return;
    }
    let code = named(DOCUMENT, "js", "index.js").text;
    let settings = functions_toml(DOCUMENT, "[functions.mine-transmit]");
    let settings = settings.replace("python3", "nodejs");
    let longhold = with_transmit(&settings, &[("functions/mine/index.js", &code)]).await;
    echoes(&longhold).await;
}

#[tokio::test]
async fn the_program_with_the_clouds_sdk_prints_what_the_document_says() {
    if !has("python3", "python3") {
        return;
    }
    let Ok(python) = env::var("LONGHOLD_CLOUD_PYTHON") else {
        skipped::without("set LONGHOLD_CLOUD_PYTHON to a python3 with tencentcloud-sdk-python-scf");
        return;
    };
    let settings = functions_toml(DOCUMENT, "[functions.hello]");
    let hello = named(DOCUMENT, "python", "hello/index.py").text;
    let echo = "\n[functions.mine-transmit]\nruntime = \"rust\"\nhandler = \"echo\"\n\
                environment = { url = \"${push}/api-mine\" }\n";
    let longhold = with_transmit(&(settings + echo), &[("hello/index.py", &hello)]).await;
    let program = named(DOCUMENT, "python", "sdk");
    write(longhold.folder.path(), "call.py", &longhold.here(&program.text));
    let folder = longhold.folder.path();
    let said = shell::run(&format!("{python} call.py"), folder, &program.place()).await;
    assert_eq!(said, "{\"hello\": \"anna\"}\n");
}
