//! A runner in a process of its own, whose functions and settings a test changes.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    subprocess::functions::write,
    support::{process::Process, soon},
};

/// A runner whose files can be changed.
pub(super) struct ChangingRunner {
    folder: TempDir,
    pub(super) runner: Process,
    pub(super) http: reqwest::Client,
}

/// A function that returns `version` and how often it has been invoked, by the same process.
pub(super) fn code(version: u32) -> String {
    format!(
        "count = 0\n\
         def main_handler(event, context):\n    \
             global count\n    \
             count += 1\n    \
             return [{version}, count]\n"
    )
}

pub(super) fn function(name: &str) -> String {
    format!(
        "[functions.{name}]\nruntime = \"python3\"\nhandler = \"index.main_handler\"\n\
         code = \"{name}\"\ntimeout = \"20s\"\nmax_instances = 4\n"
    )
}

impl ChangingRunner {
    /// With the functions `one` and `two`.
    pub(super) async fn start(head: &str) -> Self {
        Self::with_code(head, "20s", |_| code(1)).await
    }

    /// With the functions `one` and `two`, with this timeout, whose code is made of the path of the
    /// folder of `one`.
    pub(super) async fn with_code(
        head: &str,
        timeout: &str,
        code: impl Fn(&Path) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let head = format!("listen.internal = \"127.0.0.1:0\"\n{head}\n");
        let functions = head + &function("one") + &function("two");
        fs::write(folder.path().join("functions.toml"), functions.replace("20s", timeout)).unwrap();
        for name in ["one", "two"] {
            write(folder.path(), &format!("{name}/index.py"), &code(&folder.path().join("one")));
        }
        let path = ("PATH", "/usr/local/bin:/usr/bin:/bin");
        let runner = Process::start("function-runner", &[], folder.path(), &[path]).await;
        Self { folder, runner, http: crate::support::access::operator() }
    }

    pub(super) fn settings(&self) -> String {
        fs::read_to_string(self.path("functions.toml")).unwrap()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the file `name` in place.
    pub(super) fn write(&self, name: &str, text: &str) {
        write(self.folder.path(), name, text);
    }

    /// Changes the file `name` as editors do: a new file replaces the old one.
    pub(super) fn change(&self, name: &str, text: &str) {
        let new = write(self.folder.path(), &format!("{name}.new"), text);
        fs::rename(new, self.path(name)).unwrap();
    }

    /// Makes `name` a link to `target`, in place of what is there.
    pub(super) fn link(&self, target: &str, name: &str) {
        let new = self.path(&format!("{name}.new"));
        symlink(target, &new).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    pub(super) async fn invoke(&self, name: &str) -> (u16, Value) {
        let address = self.runner.address("internal");
        let url = format!("http://{address}/functions/{name}/invocations");
        let response = soon("an answer", self.http.post(url).body("{}").send()).await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    /// The version of `name`. The invocation must succeed.
    pub(super) async fn version(&self, name: &str) -> u64 {
        let (status, reply) = self.invoke(name).await;
        assert_eq!(status, 200, "{name}: {reply}");
        reply[0].as_u64().unwrap()
    }

    pub(super) async fn until_version(&self, name: &str, expected: u64) {
        soon("the new code", async { while self.version(name).await != expected {} }).await;
    }

    /// Waits for `text` in the log of the function `name`.
    pub(super) async fn until_logged(&self, name: &str, text: &str) {
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

    pub(super) async fn end(self) {
        // The runner waits for connected callers.
        drop(self.http);
        assert_eq!(self.runner.stopped().await.code(), Some(0));
    }
}
