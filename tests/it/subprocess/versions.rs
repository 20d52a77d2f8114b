//! The bootstraps run on old and new versions of the interpreters, with the same behaviour.
//! Versions that are too old say so.

mod behaviour;
mod interpreters;

use std::path::Path;

use serde_json::json;

use self::{
    behaviour::{BUCKET, Language, Running},
    interpreters::{node_8, nodes, python_2, pythons},
};
use super::{
    Functions,
    functions::{folder, function, write},
};

const PYTHON: Language = Language {
    runtime: "python3",
    file: "index.py",
    code: include_str!("functions/versions.py"),
    broken: "def main_handler(event, context:",
    trace: &["ValueError: no luck", "index.py", "in fail", "KeyError: 'the cause'"],
};

const NODE: Language = Language {
    runtime: "nodejs",
    file: "index.js",
    code: include_str!("functions/versions.js"),
    broken: "exports.main_handler = async (event",
    trace: &["Error: no luck", "index.js", "xxx'... 1976 more characters"],
};

#[tokio::test]
async fn functions_run_on_each_version_of_python() {
    let pythons = pythons();
    // A library that knows the authorities by itself, as those do that many programs have.
    let files = [
        ("code/vendor/certifi/__init__.py", "from .core import contents, where\n"),
        (
            "code/vendor/certifi/core.py",
            "def where(): return 'none'\ndef contents(): return 'none'\n",
        ),
    ];
    // Without a locale.
    let bare = "[functions.bare]\n$FUNCTION\ncode = \"code\"\nhandler = \"index.main_handler\"\n\
                environment.LANG = \"C\"\n";
    for python in &pythons {
        let running = Running::start(&PYTHON, python, &files, bare).await;
        running.check(&PYTHON).await;
        let told = json!({
            "version": python.version, "arguments": ["-c"], "hidden": [], "certifi": true,
            "first": ["code", "vendor"], "remaining": 30000,
        });
        running.returns("main", json!({ "do": "tell" }), told).await;
        let event = json!({ "do": "ask_by_asyncio", "host": BUCKET });
        running.returns("main", event, json!("200")).await;
        running.cos.next().await;
        running.returns("bare", json!({ "do": "log", "text": "\u{4f60}" }), json!(null)).await;
        running.logged("bare", &["printed \u{4f60}\n", "logged \u{4f60}\n"]).await;
        running.finish().await;
    }
    println!("Python ran in {} versions: {pythons:?}", pythons.len());
}

#[tokio::test]
async fn functions_run_on_each_version_of_node() {
    let nodes = nodes();
    let module = "export const main_handler = async () => import.meta.url.slice(-9);";
    let settings = "[functions.callback]\n$FUNCTION\ncode = \"code\"\n\
                    handler = \"index.callback\"\n\
                    [functions.only]\n$FUNCTION\ncode = \"only\"\nhandler = \"index.default\"\n\
                    [functions.module]\n$FUNCTION\ncode = \"module\"\n\
                    handler = \"index.main_handler\"\n";
    // A function may have Node take its own program for a module.
    let options = "[functions.options]\n$FUNCTION\ncode = \"code\"\n\
                   handler = \"index.main_handler\"\n\
                   environment.NODE_OPTIONS = \"--input-type=module\"\n";
    for node in &nodes {
        let major: u32 = node.version.parse().unwrap();
        let has_modules = major >= 12;
        let settings = [settings, if has_modules { options } else { "" }].concat();
        let only = "module.exports = async (event) => event; module.exports.other = 1;";
        let files = [("module/index.mjs", module), ("only/index.js", only)];
        let running = Running::start(&NODE, node, &files, &settings).await;
        running.check(&NODE).await;
        let told = json!({
            "version": node.version, "hidden": [], "left": [], "main": true, "remaining": 30000,
        });
        running.returns("main", json!({ "do": "tell" }), told.clone()).await;
        running.fails("main", json!({ "do": "neglect" }), 430, &["neglected", "index.js"]).await;
        let url = format!("https://{BUCKET}/");
        let fetched = if major >= 18 { json!(200) } else { json!("none") };
        let event = json!({ "do": "fetch", "url": url, "text": "" });
        running.returns("main", event, fetched).await;
        for event in [json!({ "do": "timer" }), json!({})] {
            running.returns("callback", event.clone(), event).await;
        }
        running.returns("only", json!("event"), json!("event")).await;
        running.fails("callback", json!({ "do": "error" }), 430, &["no luck"]).await;
        if has_modules {
            running.returns("module", json!({}), json!("index.mjs")).await;
            running.returns("options", json!({ "do": "tell" }), told).await;
        } else {
            let words = ["index.mjs is an ES module, which Node v10", "use Node 12.22 or newer"];
            running.fails("module", json!({}), 443, &words).await;
        }
        running.finish().await;
    }
    println!("Node ran in {} versions: {nodes:?}", nodes.len());
}

/// Checks that an interpreter behind another name, such as a script that chooses one, says at its
/// start that it is too old.
async fn refuses(language: &str, interpreter: &Path, words: &[&str]) {
    let folder = folder();
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", interpreter.display());
    write(folder.path(), "run", &script);
    // The script has to see the interpreter, which may be in the /tmp of the machine.
    let lines = "interpreter = \"run\"\nprivate_tmp = false";
    let functions = Functions::start_in(folder, &function(language, lines)).await;
    let (status, reply) = functions.invoke(language, &json!({})).await;
    assert_eq!(status, 443, "{reply}");
    let trace = reply["stackTrace"].as_str().unwrap();
    for word in words {
        assert!(trace.contains(word), "{word} is not in {trace}");
    }
    functions.finish().await;
}

#[tokio::test]
async fn an_old_python_says_which_version_it_is_and_which_is_needed() {
    let Some(python) = python_2() else { return };
    let words = [
        "is Python 2.7.",
        "functions with runtime \"python3\" need Python 3.6 or newer",
        "set interpreter of the function to one",
    ];
    refuses("python", &python, &words).await;
}

#[tokio::test]
async fn an_old_node_says_which_version_it_is_and_which_is_needed() {
    let Some(node) = node_8() else { return };
    let words = ["is Node 8.", "functions with runtime \"nodejs\" need Node 10 or newer"];
    refuses("node", &node, &words).await;
}
