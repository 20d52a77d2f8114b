//! One runner with functions of one interpreter, and the behaviour that all interpreters share.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::interpreters::Interpreter;
use crate::{
    cloud::server::Server,
    subprocess::functions::{Functions, write},
};

/// A bucket.
pub(super) const BUCKET: &str = "chat-1250000000.cos.ap-guangzhou.myqcloud.com";
const TEXT: &str = "\u{4f60}\u{597d} \u{1f600} \u{fc}";

/// What the languages differ in.
pub(super) struct Language {
    pub(super) runtime: &'static str,
    /// The file of the functions.
    pub(super) file: &'static str,
    pub(super) code: &'static str,
    /// Code that cannot be parsed.
    pub(super) broken: &'static str,
    /// What the trace of the error has.
    pub(super) trace: &'static [&'static str],
}

/// A runner whose functions run on one interpreter.
pub(super) struct Running {
    version: String,
    functions: Functions,
    pushes: Server,
    pub(super) cos: Server,
}

impl Running {
    /// `more` are other files, and `settings` further functions. In these `$FUNCTION` stands for
    /// the keys that all have.
    pub(super) async fn start(
        language: &Language,
        interpreter: &Interpreter,
        more: &[(&str, &str)],
        settings: &str,
    ) -> Self {
        let Language { runtime, file, code, broken, .. } = language;
        let folder = TempDir::new().unwrap();
        write(folder.path(), &format!("code/{file}"), code);
        write(folder.path(), &format!("broken/{file}"), broken);
        for (name, text) in more {
            write(folder.path(), name, text);
        }
        let [pushes, cos] = [Server::start().await, Server::start().await];
        let keys = format!(
            "runtime = {runtime:?}\ninterpreter = {:?}\ntimeout = \"30s\"\nmemory_mb = 128\n\
             max_instances = 1\npush_to = [\"api-chat\"]\nenvironment.url = \"${{push}}/api-chat\"",
            interpreter.path
        );
        let functions = format!(
            "[functions.main]\n$FUNCTION\ncode = \"code\"\nhandler = \"index.main_handler\"\n\
             [functions.missing]\n$FUNCTION\ncode = \"code\"\nhandler = \"index.nothing_such\"\n\
             [functions.broken]\n$FUNCTION\ncode = \"broken\"\nhandler = \"index.main_handler\"\n\
             {settings}"
        );
        let text = format!(
            "variables.push = \"{}\"\n[cloud]\ncos = \"{}\"\n{}",
            pushes.url,
            cos.url,
            functions.replace("$FUNCTION", &keys)
        );
        let functions = Functions::start_in(folder, &text).await;
        Self { version: format!("{runtime} {}", interpreter.version), functions, pushes, cos }
    }

    /// Checks what `function` returns.
    pub(super) async fn returns(&self, function: &str, event: Value, expected: Value) {
        let (status, reply) = self.functions.invoke(function, &event).await;
        assert_eq!((status, &reply), (200, &expected), "{}, {function} {event}", self.version);
    }

    /// Checks that `function` fails with `status`, and that the message or the trace has `words`.
    pub(super) async fn fails(&self, function: &str, event: Value, status: u16, words: &[&str]) {
        let (found, reply) = self.functions.invoke(function, &event).await;
        assert_eq!(found, status, "{}, {function} {event}: {reply}", self.version);
        let text = format!("{}\n{}", reply["errorMessage"], reply["stackTrace"]);
        for word in words {
            assert!(text.contains(word), "{}: {word} is not in {text}", self.version);
        }
        assert!(!text.contains("hidden"), "{}: {text}", self.version);
    }

    /// Checks that the log of `function` has each of these lines once.
    pub(super) async fn logged(&self, function: &str, lines: &[&str]) {
        let path = format!("/functions/{function}/logs?tail=1000");
        let log = self.functions.get(&path).await.text().await.unwrap();
        for line in lines {
            assert_eq!(log.matches(line).count(), 1, "{}: {line} in {log}", self.version);
        }
    }

    /// What functions of all languages and versions do.
    pub(super) async fn check(&self, language: &Language) {
        let event = json!({ "do": "echo", "text": TEXT });
        self.returns("main", event.clone(), event.clone()).await;
        self.returns("main", json!({ "do": "log", "text": TEXT }), Value::Null).await;
        let lines = ["printed", "written", "logged"].map(|word| format!("{word} {TEXT}\n"));
        self.logged("main", &lines.each_ref().map(String::as_str)).await;
        for count in 1..=3 {
            self.returns("main", json!({ "do": "add" }), json!(count)).await;
        }
        self.fails("main", json!({ "do": "fail" }), 430, language.trace).await;
        let pushed = json!([200, { "errNo": 0, "errMsg": "ok" }]);
        self.returns("main", json!({ "do": "push", "text": TEXT }), pushed.clone()).await;
        let got = self.pushes.next().await;
        assert_eq!((got.path.as_str(), got.body.as_str()), ("/api-chat", TEXT), "{}", self.version);
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{BUCKET}/object");
            let event = json!({ "do": "ask", "url": url, "text": TEXT });
            self.returns("main", event, pushed.clone()).await;
            let got = self.cos.next().await;
            assert_eq!((got.host.as_str(), got.body.as_str()), (BUCKET, TEXT), "{}", self.version);
        }
        self.fails("main", json!({ "do": "eat" }), 434, &["128 MB of memory"]).await;
        self.returns("main", event.clone(), event).await;
        self.fails("missing", json!({}), 437, &["nothing_such"]).await;
        self.fails("broken", json!({}), 443, &["SyntaxError", language.file]).await;
    }

    pub(super) async fn finish(self) {
        self.functions.finish().await;
    }
}
