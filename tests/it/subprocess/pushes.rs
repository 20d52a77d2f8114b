//! Pushes of functions in child processes: each pushes to a listener of its own instance, and the
//! runner passes the push on to the gateway.

mod clients;
mod failures;
mod gateway;
mod hostile;
mod scope;

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use self::gateway::Gateway;
use super::{
    Functions,
    functions::{folder, function, write},
};
use crate::support::soon;

/// A Python function that evaluates the expression in its event, and can push.
const PUSHES: &str = r#"
import json, os, select, socket, subprocess, sys, threading, urllib.error, urllib.request

URL = os.environ["url"]
PORT = int(os.environ["SCF_RUNTIME_API_PORT"])

def push(body="{}", url=URL, **headers):
    request = urllib.request.Request(url, body.encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return [answer.status, json.load(answer)]
    except urllib.error.HTTPError as error:
        return [error.code, json.load(error)]
    except OSError as error:
        return type(error).__name__

def connect(port=PORT):
    return socket.create_connection(("127.0.0.1", port))

def begin_to_connect():
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", PORT))
    return connection

def rest_of(connection):
    received = bytearray()
    try:
        while part := connection.recv(1 << 16):
            received += part
    except OSError as error:
        received += type(error).__name__.encode()
    return received.decode("latin-1")

def raw(text, port=PORT):
    with connect(port) as connection:
        connection.sendall(text.encode("latin-1"))
        return rest_of(connection)

def status_of(text):
    return raw(text).split(" ")[1]

def flood():
    """Pushes with long heads until one is refused, and hangs up. The status line of that one."""
    head = "POST /api-x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\nx: " + "x" * 30000
    for _ in range(100):
        connections = [connect() for _ in range(50)]
        for connection in connections:
            connection.sendall(head.encode() + b"\r\n\r\n{}")
        answered = select.select(connections, [], [], 0.1)[0]
        line = answered[0].recv(12).decode() if answered else ""
        for connection in connections:
            connection.close()
        if line:
            return line

def in_thread(call):
    threading.Thread(target=call, daemon=True).start()

at_load = push("at load") if "LOAD" in os.environ else None

def main_handler(event, context):
    return eval(event["eval"], globals())
"#;

/// The settings of this function, whose pushes go to `gateway`. `lines` are more of its settings.
fn settings(gateway: &str, lines: &str) -> String {
    let environment = "environment.url = \"${push}/api-x\"";
    let python = function("python", &format!("timeout = \"60s\"\n{environment}\n{lines}"));
    format!("variables.push = \"{gateway}\"\n{python}")
}

/// A folder with the code.
fn code() -> TempDir {
    let folder = folder();
    write(folder.path(), "python/index.py", PUSHES);
    folder
}

async fn start(gateway: &Gateway, lines: &str) -> Functions {
    Functions::start_in(code(), &settings(&gateway.url, lines)).await
}

async fn eval(functions: &Functions, code: &str) -> Value {
    functions.returns("python", &serde_json::json!({ "eval": code })).await
}

/// Waits until the log of the function has `piece`.
async fn logged(functions: &Functions, piece: &str) {
    let path = "/functions/python/logs?tail=1000&follow=true";
    let (mut log, mut text) = (functions.get(path).await, String::new());
    while !text.contains(piece) {
        let chunk = soon(piece, log.chunk()).await.unwrap().expect("the log goes on");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
}

/// A pipe with a name, on which a function can wait.
fn fifo(folder: &Path, name: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    path
}
