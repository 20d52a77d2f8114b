//! What one function cannot take from another: its events, its answers, its environment.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use nix::{
    sys::{signal::Signal, stat::Mode},
    unistd::{Group, chown, mkfifo},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::{
    Functions,
    confinement::eval_in,
    functions::{folder, function, has, write},
};
use crate::support::{
    machine::{allows, is_root},
    process::Process,
    soon,
};

/// A Python function that evaluates the expression in its event.
pub(super) const EVALUATES: &str = "
import ctypes, errno, http.client, os, subprocess

def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return [response.status, response.read().decode()]
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__

def ask_with(port, method, path, headers):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    try:
        connection.request(method, path, '{}', headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()

def peek(path):
    try:
        return os.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(99).decode()
    except OSError as error:
        return type(error).__name__

def system_call(*numbers):
    made = ctypes.CDLL(None, use_errno=True).syscall(*map(ctypes.c_long, numbers))
    if made == 0:
        os._exit(1)
    return errno.errorcode[ctypes.get_errno()] if made < 0 else made

def hold(started, release):
    open(started, 'w').write('x')
    return open(release).read()

def main_handler(event, context):
    return eval(event['eval'])
";

/// Two functions with this code. Each line is one of the settings of its function.
pub(super) async fn two(victim: &str, thief: &str) -> Functions {
    let thief = function("python", thief).replace("functions.python", "functions.thief");
    let folder = code();
    Functions::start_in(folder, &[function("python", victim), thief].concat()).await
}

/// A folder that every user can read.
pub(super) fn code() -> TempDir {
    let folder = folder();
    write(folder.path(), "python/index.py", EVALUATES);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn fifo(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    mkfifo(&path, Mode::empty()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    path
}

pub(super) async fn eval(functions: &Functions, name: &str, code: &str) -> Value {
    functions.returns(name, &json!({ "eval": code })).await
}

/// While the first function has an event, the second asks for it, and answers it.
async fn check(victim: &str, thief: &str) {
    let functions = two(victim, thief).await;
    let port = eval(&functions, "python", "int(os.environ['SCF_RUNTIME_API_PORT'])").await;
    let (started, release) =
        (fifo(functions.folder.path(), "started"), fifo(functions.folder.path(), "release"));
    let held = json!({ "eval": format!("hold({started:?}, {release:?})"), "message": "private" });
    let steal = async {
        let reading = spawn_blocking(move || fs::read(started));
        soon("the event to be handed out", reading).await.unwrap().unwrap();
        let mut answers = Vec::new();
        for request in [
            "'GET', '/runtime/invocation/next'",
            "'GET', '/2018-06-01/runtime/invocation/next'",
            "'POST', '/runtime/invocation/response', '\"forged\"'",
            "'POST', '/runtime/init/error', '{}'",
        ] {
            answers.push(eval(&functions, "thief", &format!("ask({port}, {request})")).await);
        }
        let writing = spawn_blocking(move || fs::write(release, "genuine"));
        soon("the function to go on", writing).await.unwrap().unwrap();
        answers
    };
    let ((status, reply), answers) = tokio::join!(functions.invoke("python", &held), steal);
    // The name of an exception: the connection was closed.
    assert!(answers.iter().all(Value::is_string), "{thief} asked {victim}: {answers:?}");
    assert_eq!((status, &reply), (200, &json!("genuine")), "{thief} answered for {victim}");
    functions.finish().await;
}

#[tokio::test]
async fn an_instance_gives_its_events_to_no_other_function() {
    if !has("python") {
        return;
    }
    check("", "").await;
}

#[tokio::test]
async fn an_instance_gives_its_events_to_no_other_user() {
    if !has("python") || !is_root() {
        return;
    }
    check("", "user = \"nobody\"").await;
    check("user = \"daemon\"", "user = \"nobody\"").await;
}

/// Our own bootstraps have a secret besides, which the code of the function does not see.
#[tokio::test]
async fn a_request_without_the_secret_of_the_instance_is_refused() {
    if !has("python") {
        return;
    }
    let functions = Functions::start_in(code(), &function("python", "")).await;
    let own = "ask(int(os.environ['SCF_RUNTIME_API_PORT']), 'GET', '/runtime/invocation/next')";
    let (status, text) = match eval(&functions, "python", own).await {
        Value::Array(answer) => (answer[0].clone(), answer[1].clone()),
        other => panic!("{other}"),
    };
    assert_eq!(status, 403, "{text}");
    let secrets = "[key for key in os.environ if 'SECRET' in key] + \
                   [line for line in subprocess.check_output('env').split() if b'SECRET' in line]";
    assert_eq!(eval(&functions, "python", secrets).await, json!([]));
    functions.finish().await;
}

/// What the system keeps from another user, and what the runner has to keep for that.
#[tokio::test]
async fn a_function_sees_nothing_of_a_function_of_another_user() {
    if !has("python") || !is_root() {
        return;
    }
    for victim in ["", "user = \"daemon\""] {
        let functions = two(victim, "user = \"nobody\"").await;
        let id = eval(&functions, "python", "open('/tmp/mine', 'w').write('x') and os.getpid()");
        let id = id.await;
        for file in ["environ", "mem", "maps", "fd", "root/tmp", "root/tmp/mine", "cwd"] {
            let seen = eval(&functions, "thief", &format!("peek('/proc/{id}/{file}')")).await;
            assert!(seen == "PermissionError" || seen == "FileNotFoundError", "{file}: {seen}");
        }
        functions.finish().await;
    }
}

/// `SYS_MODULE`, `NET_ADMIN`, `SYS_PTRACE`, `SYS_ADMIN`, `SYS_RESOURCE` and `MKNOD`.
const TAKEN: u64 = 1 << 16 | 1 << 12 | 1 << 19 | 1 << 21 | 1 << 24 | 1 << 27;

/// What a container without the capability `SETPCAP` does not allow the runner to take away.
#[tokio::test]
async fn a_function_of_root_keeps_no_capability_that_the_runner_cannot_remove() {
    if !has("python") || !is_root() || !allows("setpriv --bounding-set -setpcap true") {
        return;
    }
    let folder = code();
    let text = format!("listen.internal = \"127.0.0.1:0\"\n{}", function("python", ""));
    write(folder.path(), "functions.toml", &text);
    let without = "exec setpriv --bounding-set -setpcap \"$0\"";
    let runner = Process::start_after(without, "function-runner", folder.path()).await;
    let status = "dict(line.split(':\\t') for line in open('/proc/self/status'))";
    for set in ["CapPrm", "CapEff"] {
        let found = eval_in(&runner, &format!("int({status}['{set}'], 16) & {TAKEN:#x}")).await;
        assert_eq!(found, "0", "{set}");
    }
    runner.signal(Signal::SIGTERM);
    assert!(runner.ended().await.success());
}

/// As docs/runtimes.md says to set the rights of the files.
#[tokio::test]
async fn a_function_reads_neither_the_code_nor_the_settings_of_another_user() {
    if !has("python") || !is_root() {
        return;
    }
    let folder = code();
    write(folder.path(), "thief/index.py", EVALUATES);
    let secrets = write(folder.path(), "functions.toml", "");
    let victims = folder.path().join("python");
    let group = Group::from_name("daemon").unwrap().unwrap().gid;
    for (path, mode) in [(victims.join("index.py"), 0o640), (victims.clone(), 0o750)] {
        chown(&path, None, Some(group)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    // Not even for the groups of the runner.
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o640)).unwrap();
    let text = [
        function("python", "user = \"daemon\""),
        function("python", "user = \"nobody\"")
            .replace("functions.python", "functions.thief")
            .replace("code = \"python\"", "code = \"thief\""),
    ];
    let functions = Functions::start_in(folder, &text.concat()).await;
    assert_eq!(eval(&functions, "python", "1").await, 1);
    for path in [victims.join("index.py"), victims, secrets] {
        let seen = eval(&functions, "thief", &format!("peek({path:?})")).await;
        assert_eq!(seen, "PermissionError", "{}", path.display());
    }
    functions.finish().await;
}

#[tokio::test]
async fn the_runner_warns_of_functions_that_run_as_root() {
    if !has("python") || !is_root() {
        return;
    }
    let folder = code();
    let other =
        function("python", "user = \"nobody\"").replace("functions.python", "functions.other");
    let text = format!("listen.internal = \"127.0.0.1:0\"\n{}{other}", function("python", ""));
    write(folder.path(), "functions.toml", &text);
    let runner = Process::start("function-runner", &[], folder.path(), &[]).await;
    runner.logged("function python runs as root: set its key user").await;
    runner.logged("function-runner ready").await;
    assert!(!runner.log().contains("function other runs as root"));
    runner.signal(Signal::SIGTERM);
    assert!(runner.ended().await.success());
}
