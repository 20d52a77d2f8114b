//! functions.toml changes: functions come and go, and a broken file changes nothing.

use std::{fs, os::unix::fs::PermissionsExt};

use nix::sys::signal::Signal;
use serde_json::json;

use super::changing_runner::{ChangingRunner, code, function};
use crate::{subprocess::functions::has, support::soon};

#[tokio::test]
async fn functions_are_added_and_removed_with_the_file_and_a_broken_file_changes_nothing() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    assert_eq!(changing.invoke("two").await, (200, json!([1, 1])));
    let settings = changing.settings();
    for broken in ["nonsense = 1\n", "[functions.three]\nruntime = \"cobol\"\n", "[["] {
        changing.change("functions.toml", &(settings.clone() + broken));
        changing.runner.signal(Signal::SIGHUP);
    }
    changing.write("three/index.py", &code(3));
    let without_one = settings.replace(&function("one"), "");
    changing.change("functions.toml", &(without_one + &function("three")));
    let has_come = async { while changing.invoke("three").await.0 == 435 {} };
    soon("the new function", has_come).await;
    assert_eq!(changing.version("three").await, 3);
    assert_eq!(changing.invoke("one").await.0, 435);
    assert_eq!(changing.invoke("two").await, (200, json!([1, 2])));
    changing.end().await;
}

/// A program that saves a file in steps makes it empty first.
#[tokio::test]
async fn an_empty_file_removes_functions_at_sighup_only() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    assert_eq!(changing.invoke("two").await, (200, json!([1, 1])));
    changing.write("functions.toml", "");
    changing.runner.logged("functions.toml names no function any more").await;
    // Changes of code are seen all the same.
    changing.change("one/index.py", &code(2));
    changing.until_version("one", 2).await;
    assert_eq!(changing.invoke("two").await, (200, json!([1, 2])));
    changing.runner.signal(Signal::SIGHUP);
    let has_gone = async { while changing.invoke("two").await.0 != 435 {} };
    soon("the function has gone", has_gone).await;
    changing.end().await;
}

/// The settings stay as they are, and the code is looked at all the same.
#[tokio::test]
async fn new_code_is_taken_while_functions_toml_is_broken() {
    if !has("python") {
        return;
    }
    let runner = ChangingRunner::start("").await;
    assert_eq!(runner.version("one").await, 1);
    let good = runner.settings();
    runner.change("functions.toml", "[functions.");
    runner.change("one/index.py", &code(2));
    runner.until_version("one", 2).await;
    assert_eq!(runner.version("two").await, 1);
    runner.change("functions.toml", &good);
    assert_eq!(runner.version("two").await, 1);
    runner.end().await;
}

#[tokio::test]
async fn changing_one_function_keeps_the_instances_of_the_others() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    assert_eq!(changing.invoke("two").await, (200, json!([1, 1])));
    assert_eq!(changing.invoke("one").await, (200, json!([1, 1])));
    let environment = "[functions.one]\nenvironment.KEY = \"value\"\n";
    let settings = changing.settings().replace("[functions.one]\n", environment);
    changing.change("functions.toml", &settings);
    // A new process, whose count begins at 1.
    let is_new = async {
        let mut last = 1;
        loop {
            let count = changing.invoke("one").await.1[1].as_u64().unwrap();
            if count <= last {
                return;
            }
            last = count;
        }
    };
    soon("a new process", is_new).await;
    assert_eq!(changing.invoke("two").await, (200, json!([1, 2])));
    changing.end().await;
}

/// Puts a file that only its user may read in the place of `secret`.
fn change_secret(changing: &ChangingRunner, text: &str) {
    let new = changing.path("secret.new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(new, changing.path("secret")).unwrap();
}

#[tokio::test]
async fn a_function_is_started_anew_when_the_file_of_a_secret_changes() {
    if !has("python") {
        return;
    }
    let code = code(1).replace("[1,", "[int(__import__('os').environ.get('VERSION', 1)),");
    let changing = ChangingRunner::with_code("", "20s", |_| code.clone()).await;
    change_secret(&changing, "2\n");
    let settings = changing.settings();
    let settings = settings + "[functions.one.environment_files]\nVERSION = \"secret\"\n";
    changing.change("functions.toml", &settings);
    changing.until_version("one", 2).await;
    change_secret(&changing, "3\n");
    changing.until_version("one", 3).await;
    // Every user may read this one.
    changing.change("secret", "4\n");
    changing.runner.logged("secret has the permissions 755").await;
    assert_eq!(changing.version("one").await, 3);
    assert_eq!(changing.invoke("two").await, (200, json!([1, 1])));
    changing.end().await;
}
