//! Secrets that stand in a settings file itself, which every user of the machine may read.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use nix::sys::signal::Signal;

use crate::support::process::Process;

const GATEWAY: &str = r#"
    listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }
    [[push.tokens]]
    apis = ["a"]
    token = "hunter2-hunter2-hunter2"
    [[api]]
    id = "a"
    path = "/a"
    transmit = "echo"
"#;
const FUNCTIONS: &str = r#"
    listen.internal = "127.0.0.1:0"
    invoke = { secret_id = "AKIDtest", secret_key = "hunter2-hunter2-hunter2" }
    [functions.echo]
    runtime = "rust"
    handler = "echo"
    environment = { url = "http://127.0.0.1:1/a" }
"#;
const STORE: &str = r#"
    listen.internal = "127.0.0.1:0"
    [[credentials]]
    secret_id = "AKIDtest"
    secret_key = "hunter2-hunter2-hunter2"
"#;

/// What the lines have in common.
const READABLE: &str = "so that every user of this machine can read the secrets at ";

fn write(folder: &Path, name: &str, text: &str, mode: u32) {
    fs::write(folder.join(name), text).unwrap();
    set_mode(folder, name, mode);
}

fn set_mode(folder: &Path, name: &str, mode: u32) {
    fs::set_permissions(folder.join(name), Permissions::from_mode(mode)).unwrap();
}

/// The line for the gateway's file.
fn of_gateway(mode: u32) -> String {
    format!(
        "gateway.toml has the permissions {mode:03o}, {READABLE}push.tokens[0].token; use chmod 600 \
         gateway.toml, or name a file of its own for each secret in token_file"
    )
}

async fn end(process: Process) -> String {
    process.signal(Signal::SIGTERM);
    process.ended_with_log().await
}

#[tokio::test]
async fn secrets_in_settings_that_all_may_read_are_in_the_log_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "gateway.toml", GATEWAY, 0o644);
    write(folder, "functions.toml", FUNCTIONS, 0o644);
    let of_functions = format!(
        "functions.toml has the permissions 644, {READABLE}invoke.secret_id, invoke.secret_key; use \
         chmod 600 functions.toml"
    );
    let process = Process::start("longhold", &[], folder, &[]).await;
    process.logged(&of_gateway(0o644)).await;
    process.logged(&of_functions).await;
    process.signal(Signal::SIGHUP);
    for file in ["gateway.toml", "functions.toml"] {
        process.logged(&format!("{file} has not changed")).await;
    }
    set_mode(folder, "gateway.toml", 0o604);
    process.signal(Signal::SIGHUP);
    process.logged(&of_gateway(0o604)).await;
    let log = end(process).await;
    assert_eq!(log.matches(READABLE).count(), 3, "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

/// Neither a secret in a file that its owner and a group read, nor one in a variable.
#[tokio::test]
async fn secrets_in_settings_that_not_all_may_read_are_not_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "functions.toml", FUNCTIONS, 0o640);
    let process = Process::start("function-runner", &[], folder, &[]).await;
    process.signal(Signal::SIGHUP);
    process.logged("functions.toml has not changed").await;
    assert!(!end(process).await.contains(READABLE));

    let without = GATEWAY.replace("token = \"hunter2-hunter2-hunter2\"\n", "");
    write(folder, "gateway.toml", &without, 0o644);
    let token = [("LONGHOLD_GATEWAY__PUSH__TOKENS__0__TOKEN", "hunter2-hunter2-hunter2")];
    let process = Process::start("gateway", &[], folder, &token).await;
    process.signal(Signal::SIGHUP);
    process.logged("gateway.toml has not changed").await;
    assert!(!end(process).await.contains(READABLE));
}

#[tokio::test]
async fn secrets_of_an_object_store_that_all_may_read_are_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "cos.toml", STORE, 0o644);
    let store = Process::start("cos", &[], folder.path(), &[]).await;
    store.logged(&format!("cos.toml has the permissions 644, {READABLE}credentials[0]")).await;
    let log = end(store).await;
    assert!(!log.contains("hunter2"), "{log}");
}
