//! A function without a user of its own does not read the files with secrets of its runner.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    slice,
};

use landlock::{AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};
use nix::sys::signal::Signal;
use serde_json::json;

use super::{allows_mounts, evaluates};
use crate::{
    subprocess::functions::{function, has, write},
    support::{access, machine::allows, process::Process, soon},
};

/// What the function `python` finds in `files`, at a runner that listens at `address`.
async fn read(address: &str, files: &[PathBuf]) -> Vec<String> {
    let code = format!("[read(file) for file in {}]", json!(files));
    let url = format!("http://{address}/functions/python/invocations");
    let request = access::operator().post(url).body(json!({ "eval": code }).to_string());
    let text = soon("an answer", request.send()).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

fn write_private(folder: &Path, name: &str, text: &str) -> PathBuf {
    write(folder, name, text);
    let file = folder.join(name);
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    file
}

/// Where the tokens are. Those of the other tests are replaced by each process with tests.
const TOKENS: [(&str, &str); 3] = [
    ("LONGHOLD_GATEWAY__ACCESS__OPERATOR_FILE", "tokens/operator"),
    ("LONGHOLD_FUNCTION_RUNNER__ACCESS__OPERATOR_FILE", "tokens/operator"),
    ("LONGHOLD_FUNCTION_RUNNER__ACCESS__SERVICE_FILE", "tokens/service"),
];

/// Starts `program` with a function, and checks that the function finds `files` empty, but not
/// `open`.
async fn check(program: &str, listener: &str, folder: &Path, files: &[PathBuf], open: &Path) {
    let process = Process::start(program, &[], folder, &TOKENS).await;
    let address = process.address(listener);
    let found = read(&address.to_string(), files).await;
    for (file, text) in files.iter().zip(&found) {
        assert_eq!(text, "", "{}", file.display());
        assert!(fs::metadata(file).unwrap().len() > 0, "{}", file.display());
    }
    assert_eq!(read(&address.to_string(), &[open.to_owned()]).await, ["seen"]);
    // A secret is replaced while the instance runs.
    let new = write_private(folder, "new", "hunter3");
    fs::rename(new, folder.join("secrets/key")).unwrap();
    assert_eq!(read(&address.to_string(), &[folder.join("secrets/key")]).await, [""]);
    process.stopped().await;
}

#[tokio::test]
async fn a_function_finds_the_files_of_secrets_empty() {
    if !has("python") || !allows_mounts() {
        return;
    }
    for lines in ["", "private_tmp = false"] {
        let folder = evaluates();
        let path = folder.path();
        let secret = write_private(path, "secrets/key", "hunter2");
        let operator = write_private(path, "tokens/operator", access::OPERATOR);
        let service = write_private(path, "tokens/service", access::SERVICE);
        let open = write_private(path, "beside", "seen");
        let own = write_private(path, "python/own", "hunter2");
        let lines =
            format!("environment_files = {{ KEY = 'secrets/key', OWN = 'python/own' }}\n{lines}");
        let text = format!("listen.internal = '127.0.0.1:0'\n{}", function("python", &lines));
        let functions = write_private(path, "functions.toml", &text);
        check(
            "function-runner",
            "internal",
            path,
            &[secret.clone(), own.clone(), functions.clone(), service, operator.clone()],
            &open,
        )
        .await;

        // One process for both services has the files of the gateway too.
        let token = write_private(path, "push.token", "hunter2-hunter2-hunter2");
        let text = "listen = { public = '127.0.0.1:0', internal = '127.0.0.1:0' }\n\
            [[push.tokens]]\napis = ['a']\ntoken_file = 'push.token'\n\
            [[api]]\nid = 'a'\npath = '/a'\ntransmit = 'python'\n";
        let gateway = write_private(path, "gateway.toml", text);
        check(
            "longhold",
            "function_runner",
            path,
            &[secret, own, functions, token, gateway, operator],
            &open,
        )
        .await;
    }
}

/// The files of tokens that are made by default are beside what functions keep. A file that is
/// named while an instance runs is hidden too.
#[tokio::test]
async fn a_function_has_the_folder_of_the_tokens_but_no_secret_that_is_named_later() {
    if !has("python") || !allows_mounts() {
        return;
    }
    let folder = evaluates();
    let path = folder.path();
    let text = format!("listen.internal = '127.0.0.1:0'\n{}", function("python", ""));
    write(path, "functions.toml", &text);
    let operator = write_private(path, "data/operator.token", access::OPERATOR);
    let in_data = [
        ("LONGHOLD_FUNCTION_RUNNER__ACCESS__SERVICE_FILE", "data/service.token"),
        ("LONGHOLD_FUNCTION_RUNNER__ACCESS__OPERATOR_FILE", "data/operator.token"),
    ];
    let process = Process::start("function-runner", &[], path, &in_data).await;
    let address = process.address("internal").to_string();
    let service = path.join("data/service.token");
    assert_eq!(read(&address, &[operator, service]).await, ["", ""]);
    let kept = path.join("data/roster");
    let written = super::eval_in(&process, &format!("open({kept:?}, 'w').write('seen')")).await;
    assert_eq!(written, "4");
    assert_eq!(read(&address, &[kept]).await, ["seen"]);

    let late = write_private(path, "late", "hunter2");
    assert_eq!(read(&address, slice::from_ref(&late)).await, ["hunter2"]);
    let other = function("python", "environment_files.KEY = 'late'").replace("python]", "other]");
    write(path, "functions.toml", &format!("{text}\n{other}"));
    process.logged("functions reloaded").await;
    assert_eq!(read(&address, slice::from_ref(&late)).await, [""]);
    process.signal(Signal::SIGTERM);
    let log = process.ended_with_log().await;
    let line = format!("no function that starts from now on can read: {} ", late.display());
    assert_eq!(log.matches("settings name other files with secrets").count(), 1, "{log}");
    assert!(log.contains(&line), "{log}");
}

/// Shell commands that take away what is needed for mounts: the capability, and namespaces in which
/// a process would have it.
const WITHOUT_MOUNTS: &str = "exec unshare -r sh -c '
    echo 0 > /proc/sys/user/max_user_namespaces &&
    exec setpriv --bounding-set=-sys_admin \"$0\"' \"$0\"";

fn allows_fences() -> bool {
    let has_landlock = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Refer)
        .is_ok();
    if !has_landlock {
        skipped::without("a kernel with Landlock is missing");
    }
    has_landlock && allows("unshare -r sh -c 'echo 0 > /proc/sys/user/max_user_namespaces'")
}

/// As in a container, where the tokens are in a folder of their own.
#[tokio::test]
async fn where_no_mount_can_be_made_a_function_does_not_reach_a_folder_of_secrets() {
    if !has("python") || !allows_fences() {
        return;
    }
    let folder = evaluates();
    let path = folder.path();
    let text = format!("listen.internal = '127.0.0.1:0'\n{}", function("python", ""));
    write(path, "functions.toml", &text);
    write_private(path, "access/operator.token", access::OPERATOR);
    write(path, "beside", "seen");
    let shell = format!(
        "export LONGHOLD_FUNCTION_RUNNER__ACCESS__SERVICE_FILE=access/service.token\n\
         export LONGHOLD_FUNCTION_RUNNER__ACCESS__OPERATOR_FILE=access/operator.token\n\
         {WITHOUT_MOUNTS}"
    );
    let process = Process::start_after(&shell, "function-runner", path).await;
    let address = process.address("internal").to_string();
    let tokens = ["service", "operator"].map(|name| path.join(format!("access/{name}.token")));
    let [service, operator] = tokens;
    for (file, expected) in
        [(service, "closed"), (operator, "closed"), (path.join("beside"), "seen")]
    {
        assert_eq!(read(&address, &[file]).await, [expected]);
    }
    // The settings lie beside the code, and cannot be closed.
    process.logged("functions of the runner's user can read").await;
    let line = process.log().lines().find(|line| line.contains("can read")).unwrap().to_owned();
    assert!(line.contains("functions.toml") && !line.contains(".token"), "{line}");
    process.stopped().await;
}
