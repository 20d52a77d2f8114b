//! functions.toml and code are changed while functions are invoked. No invocation fails by this.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::functions::{has, write};
use crate::support::{client::Client, process::Process, soon};

/// How often the last test changes the code.
const CHANGES: u32 = 6;

/// A runner whose files can be changed.
struct ChangingRunner {
    folder: TempDir,
    runner: Process,
    http: reqwest::Client,
}

/// A function that returns `version` and how often it has been invoked, by the same process.
fn code(version: u32) -> String {
    format!(
        "count = 0\n\
         def main_handler(event, context):\n    \
             global count\n    \
             count += 1\n    \
             return [{version}, count]\n"
    )
}

fn function(name: &str) -> String {
    format!(
        "[functions.{name}]\nruntime = \"python3\"\nhandler = \"index.main_handler\"\n\
         code = \"{name}\"\ntimeout = \"20s\"\nmax_instances = 4\n"
    )
}

impl ChangingRunner {
    /// With the functions `one` and `two`.
    async fn start(head: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let head = format!("listen.internal = \"127.0.0.1:0\"\n{head}\n");
        fs::write(folder.path().join("functions.toml"), head + &function("one") + &function("two"))
            .unwrap();
        for name in ["one", "two"] {
            write(folder.path(), &format!("{name}/index.py"), &code(1));
        }
        let path = ("PATH", "/usr/local/bin:/usr/bin:/bin");
        let runner = Process::start("function-runner", &[], folder.path(), &[path]).await;
        Self { folder, runner, http: reqwest::Client::new() }
    }

    fn settings(&self) -> String {
        fs::read_to_string(self.folder.path().join("functions.toml")).unwrap()
    }

    /// Changes the file `name` as editors do: a new file replaces the old one.
    fn change(&self, name: &str, text: &str) {
        let new = write(self.folder.path(), &format!("{name}.new"), text);
        fs::rename(new, self.folder.path().join(name)).unwrap();
    }

    async fn invoke(&self, name: &str) -> (u16, Value) {
        let address = self.runner.address("internal");
        let url = format!("http://{address}/functions/{name}/invocations");
        let response = soon("an answer", self.http.post(url).body("{}").send()).await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    /// The version of `name`. The invocation must succeed.
    async fn version(&self, name: &str) -> u64 {
        let (status, reply) = self.invoke(name).await;
        assert_eq!(status, 200, "{name}: {reply}");
        reply[0].as_u64().unwrap()
    }

    async fn until_version(&self, name: &str, expected: u64) {
        soon("the new code", async { while self.version(name).await != expected {} }).await;
    }

    /// Waits for `text` in the log of the function `name`.
    async fn until_logged(&self, name: &str, text: &str) {
        let address = self.runner.address("internal");
        let url = format!("http://{address}/functions/{name}/logs?tail=100&follow=true");
        let mut log = self.http.get(url).send().await.unwrap();
        let mut seen = String::new();
        soon("the line", async {
            while !seen.contains(text) {
                let chunk = log.chunk().await.unwrap().expect("the log goes on");
                seen += &String::from_utf8_lossy(&chunk);
            }
        })
        .await;
    }

    async fn end(self) {
        // The runner waits for connected callers.
        drop(self.http);
        self.runner.signal(Signal::SIGTERM);
        assert_eq!(self.runner.ended().await.code(), Some(0));
    }
}

/// Code is changed again and again under load: no invocation fails, invocations after the first
/// reply of new code get new code, and the process of an unchanged function is kept.
#[tokio::test]
async fn code_is_changed_under_load_and_no_invocation_fails() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    assert_eq!(changing.invoke("two").await, (200, json!([1, 1])));
    let (newest, is_over) = (AtomicUsize::new(1), AtomicBool::new(false));
    let load = async || {
        while !is_over.load(Ordering::SeqCst) {
            let at_least = newest.load(Ordering::SeqCst);
            let version = usize::try_from(changing.version("one").await).unwrap();
            assert!(version >= at_least, "{version} after {at_least}");
            newest.fetch_max(version, Ordering::SeqCst);
        }
    };
    let changes = async {
        for version in 2..=6 {
            changing.change("one/index.py", &code(version));
            changing.until_version("one", version.into()).await;
        }
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(join_all((0..8).map(|_| load())), changes);
    assert_eq!(changing.invoke("two").await, (200, json!([1, 2])));
    changing.end().await;
}

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
    write(changing.folder.path(), "three/index.js", &code(1));
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
    let path = |name: &str| changing.folder.path().join(name);
    assert_eq!(changing.version("one").await, 1);
    write(changing.folder.path(), "next/index.py", &code(2));
    // For a moment there is no folder.
    fs::rename(path("one"), path("last")).unwrap();
    fs::rename(path("next"), path("one")).unwrap();
    changing.until_version("one", 2).await;
    fs::rename(path("one"), path("next")).unwrap();
    fs::rename(path("last"), path("one")).unwrap();
    changing.until_version("one", 1).await;
    changing.end().await;
}

/// A function that returns what the modules `util` and `package` say.
const LINKED: &str = "import package\nimport util\n\
    def main_handler(event, context):\n    return [util.version + package.version]\n";

/// The code of one function is linked to a file and to a folder that others use too.
#[tokio::test]
async fn changes_behind_links_are_seen() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    let path = |name: &str| changing.folder.path().join(name);
    let version = |number: u32| format!("version = {number}\n");
    write(changing.folder.path(), "common/util.py", &version(10));
    write(changing.folder.path(), "packages/1/package.py", &version(1));
    write(changing.folder.path(), "packages/2/package.py", &version(2));
    symlink("1", path("packages/current")).unwrap();
    // As the running function gets new code with links, and the second one has the same.
    for name in ["one", "two"] {
        symlink("../common/util.py", path(&format!("{name}/util.py"))).unwrap();
        symlink("../packages/current", path(&format!("{name}/vendor"))).unwrap();
        changing.change(&format!("{name}/index.py"), LINKED);
    }
    let both = async |version| {
        changing.until_version("one", version).await;
        changing.until_version("two", version).await;
    };
    both(11).await;
    // Written in place, replaced, switched, and a file in the folder.
    fs::write(path("common/util.py"), version(20)).unwrap();
    both(21).await;
    changing.change("common/util.py", &version(30));
    both(31).await;
    symlink("2", path("packages/next")).unwrap();
    fs::rename(path("packages/next"), path("packages/current")).unwrap();
    both(32).await;
    changing.change("packages/2/package.py", &version(3));
    both(33).await;
    changing.end().await;
}

/// A function that writes what it has counted into a folder and a file behind links.
const WRITES: &str = "import os\ncount = 0\n\
    def main_handler(event, context):\n    \
        global count\n    \
        count += 1\n    \
        for name in ('data/log', 'roster.json'):\n        \
            with open(os.path.join(os.environ['USER_CODE_ROOT'], name), 'a') as file:\n            \
                file.write(f'{count}\\n')\n    \
        return [2, count]\n";

#[tokio::test]
async fn a_function_that_writes_data_behind_links_is_not_loaded_again() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("log.filter = \"info,daemon=debug\"").await;
    let path = |name: &str| changing.folder.path().join(name);
    // An instance of the old code: without one, the first instance has the new code at once.
    changing.until_version("one", 1).await;
    write(changing.folder.path(), "data/roster.json", "");
    symlink("../data", path("one/data")).unwrap();
    symlink("../data/roster.json", path("one/roster.json")).unwrap();
    changing.change("one/index.py", WRITES);
    changing.until_version("one", 2).await;
    let Value::Array(reply) = changing.invoke("one").await.1 else { panic!("no list") };
    let count = reply[1].as_u64().unwrap();
    for more in 1..=3 {
        assert_eq!(changing.invoke("one").await, (200, json!([2, count + more])));
    }
    // After these changes: files are looked at in one go.
    changing.change("two/index.py", &code(2));
    changing.until_version("two", 2).await;
    assert_eq!(changing.invoke("one").await, (200, json!([2, count + 4])));
    changing.runner.logged("files have changed").await;
    changing.end().await;
}

/// As Kubernetes mounts a volume: each name leads through `..data`, which is switched.
#[tokio::test]
async fn a_switch_of_all_files_at_once_is_seen() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    let path = |name: &str| changing.folder.path().join(name);
    let settings = changing.settings();
    fs::create_dir(path("mount")).unwrap();
    let mount = |number: u32, functions: &str| {
        let release = format!("mount/..{number}");
        write(changing.folder.path(), &format!("{release}/index.py"), &code(number));
        write(changing.folder.path(), &format!("{release}/functions.toml"), functions);
        symlink(format!("..{number}"), path("mount/..next")).unwrap();
        fs::rename(path("mount/..next"), path("mount/..data")).unwrap();
    };
    mount(2, &settings);
    for (target, name) in [
        ("..data/index.py", "mount/index.py"),
        ("..data/functions.toml", "mount/functions.toml"),
        ("../mount/index.py", "one/next.py"),
        ("mount/functions.toml", "functions.next"),
    ] {
        symlink(target, path(name)).unwrap();
    }
    fs::rename(path("one/next.py"), path("one/index.py")).unwrap();
    changing.until_version("one", 2).await;
    fs::rename(path("functions.next"), path("functions.toml")).unwrap();
    mount(3, &settings);
    changing.until_version("one", 3).await;
    // The settings file is such a link too.
    mount(4, &(settings + "[functions.three]\nruntime = \"rust\"\nhandler = \"nothing\"\n"));
    changing.until_version("one", 4).await;
    changing.runner.logged("functions.three.handler").await;
    changing.end().await;
}

#[tokio::test]
async fn sighup_loads_what_is_behind_links_if_nothing_is_watched() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("reload.watch = false").await;
    let path = |name: &str| changing.folder.path().join(name);
    write(changing.folder.path(), "common/index.py", &code(2));
    fs::remove_file(path("one/index.py")).unwrap();
    symlink("../common/index.py", path("one/index.py")).unwrap();
    // Links around the code, in a circle, and to nothing are no code.
    for (target, name) in [("/", "one/root"), ("circle", "one/circle"), ("nothing", "one/broken")] {
        symlink(target, path(name)).unwrap();
    }
    changing.runner.signal(Signal::SIGHUP);
    changing.until_version("one", 2).await;
    for version in [3, 4] {
        changing.change("common/index.py", &code(version));
        changing.runner.signal(Signal::SIGHUP);
        changing.until_version("one", version.into()).await;
    }
    changing.end().await;
}

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
    write(changing.folder.path(), "three/index.py", &code(3));
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
    fs::write(changing.folder.path().join("functions.toml"), "").unwrap();
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

/// Before invocations go to new code, it has as many instances as the old code has busy. So no
/// invocation waits for a start, which may take long.
#[tokio::test]
async fn new_code_has_warm_instances_before_it_is_invoked() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    let slow = |version| {
        let pause = "    global count\n    time.sleep(0.2)\n";
        format!("import time\n{}", code(version)).replace("    global count\n", pause)
    };
    changing.change("one/index.py", &slow(2));
    changing.until_version("one", 2).await;
    let is_over = AtomicBool::new(false);
    let load = async || {
        while !is_over.load(Ordering::SeqCst) {
            let version = changing.version("one").await;
            is_over.fetch_or(version == 3, Ordering::SeqCst);
        }
    };
    let change = async {
        // While all four instances are busy.
        join_all((0..4).map(|_| changing.version("one"))).await;
        changing.change("one/index.py", &slow(3));
    };
    tokio::join!(join_all((0..4).map(|_| load())), change);
    let address = changing.runner.address("internal");
    let log = changing.http.get(format!("http://{address}/functions/one/logs?tail=1000"));
    let log = log.send().await.unwrap().text().await.unwrap();
    // One instance was started for the second version, and the others for the third, before any
    // invocation needed them.
    let warmed = log.matches("Init Report RequestId:none").count();
    assert!(warmed >= 4, "{log}");
    changing.end().await;
}

/// Connections send and wait for their echo, while the code of the echo function is changed. Each
/// message is echoed, and no connection is closed.
#[tokio::test]
async fn connections_do_not_notice_that_the_code_of_their_function_changes() {
    if !has("python") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let echo = |version: u32| {
        format!(
            "def main_handler(event, context):\n    \
                 message = event['websocket']\n    \
                 message['data'] += ' {version}'\n    \
                 return {{'websocket': message}}\n"
        )
    };
    write(folder.path(), "one/index.py", &echo(1));
    let functions = "listen.internal = '127.0.0.1:0'\n".to_owned() + &function("one");
    fs::write(folder.path().join("functions.toml"), functions).unwrap();
    let gateway = "listen = { public = '127.0.0.1:0', internal = '127.0.0.1:0' }\n\
                   [[api]]\nid = 'echo'\npath = '/'\ntransmit = 'one'\nreply = true\n";
    fs::write(folder.path().join("gateway.toml"), gateway).unwrap();
    let path = ("PATH", "/usr/local/bin:/usr/bin:/bin");
    let longhold = Process::start("longhold", &[], folder.path(), &[path]).await;

    let (newest, is_over) = (AtomicUsize::new(1), AtomicBool::new(false));
    let load = async |connection: usize| {
        let mut client = Client::connect(longhold.address("public"), "/").await.ok().unwrap();
        for number in 0.. {
            if is_over.load(Ordering::SeqCst) {
                break;
            }
            let text = format!("{connection} {number}");
            client.send(text.as_str()).await;
            let answer = client.receive_text().await;
            let version = answer.strip_prefix(&format!("{text} ")).unwrap().parse().unwrap();
            newest.fetch_max(version, Ordering::SeqCst);
        }
        client.close(CloseCode::Normal).await;
    };
    let changes = async {
        for version in 2..=CHANGES {
            let new = write(folder.path(), "one.new", &echo(version));
            fs::rename(new, folder.path().join("one/index.py")).unwrap();
            let version = usize::try_from(version).unwrap();
            let has_come = async {
                while newest.load(Ordering::SeqCst) < version {
                    tokio::task::yield_now().await;
                }
            };
            soon("an answer of the new code", has_come).await;
        }
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(join_all((0..8).map(load)), changes);
    longhold.signal(Signal::SIGTERM);
    assert_eq!(longhold.ended().await.code(), Some(0));
}
