//! New code of a function: broken, corrected, moved, and taken at SIGHUP. And what the log says.

use std::fs;

use futures_util::future::join_all;
use nix::sys::signal::Signal;

use super::changing_runner::{ChangingRunner, code, function};
use crate::{subprocess::functions::has, support::soon};

#[tokio::test]
async fn old_code_goes_on_until_broken_code_is_corrected() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    assert_eq!(changing.version("one").await, 1);
    changing.change("one/index.py", "def main_handler(event, context)\n    pass\n");
    changing.until_logged("one", "SyntaxError").await;
    // More events at once than instances, and no instance of the broken code can be started.
    let answers = join_all((0..16).map(|_| changing.version("one"))).await;
    assert_eq!(answers, [1; 16]);
    changing.change("one/index.py", &code(2));
    changing.until_version("one", 2).await;
    changing.end().await;
}

/// Node runs rejections that nobody handles after it has loaded the file.
#[tokio::test]
async fn old_code_in_node_goes_on_when_new_code_fails_right_after_it_is_loaded() {
    if !has("python") || !has("node") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    let code = |version| format!("exports.main_handler = async () => [{version}];\n");
    changing.write("three/index.js", &code(1));
    let node = function("three").replace("python3", "nodejs");
    changing.change("functions.toml", &(changing.settings() + &node));
    let has_come = async { while changing.invoke("three").await.0 == 435 {} };
    soon("the new function", has_come).await;
    assert_eq!(changing.version("three").await, 1);
    let broken = format!("Promise.reject(new Error('boom'));\n{}", code(2));
    changing.change("three/index.js", &broken);
    changing.until_logged("three", "Error: boom").await;
    assert_eq!(changing.version("three").await, 1);
    changing.change("three/index.js", &code(3));
    changing.until_version("three", 3).await;
    changing.end().await;
}

#[tokio::test]
async fn a_code_folder_can_be_replaced_by_another_and_back() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    let path = |name: &str| changing.path(name);
    assert_eq!(changing.version("one").await, 1);
    changing.write("next/index.py", &code(2));
    // For a moment there is no folder.
    fs::rename(path("one"), path("last")).unwrap();
    fs::rename(path("next"), path("one")).unwrap();
    changing.until_version("one", 2).await;
    fs::rename(path("one"), path("next")).unwrap();
    fs::rename(path("last"), path("one")).unwrap();
    changing.until_version("one", 1).await;
    changing.end().await;
}

#[tokio::test]
async fn sighup_loads_new_code_if_nothing_is_watched() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("reload.watch = false").await;
    assert_eq!(changing.version("one").await, 1);
    changing.change("one/index.py", &code(2));
    assert_eq!(changing.version("one").await, 1);
    changing.runner.signal(Signal::SIGHUP);
    changing.until_version("one", 2).await;
    changing.end().await;
}

#[tokio::test]
async fn what_new_code_says_is_not_taken_for_a_line_of_the_runner() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    assert_eq!(changing.version("one").await, 1);
    let forged = "functions reloaded added=[] changed=[] removed=[\"two\"]";
    let raise = format!("raise Exception('no luck\\n{forged}\\n' + 'the last line')\n");
    changing.change("one/index.py", &raise);
    changing.runner.logged("function: the last line").await;
    let log = changing.runner.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(forged)).collect();
    assert!(!lines.is_empty(), "{log}");
    for line in lines {
        let says = "ERROR new_code{function.name=\"one\"}: function: ";
        assert!(line.contains(says) || line.contains(&format!("\\n{forged}")), "{line}");
    }
    changing.end().await;
}
