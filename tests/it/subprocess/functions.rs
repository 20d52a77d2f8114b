//! A runner in this process, and a function for these tests in four languages. The function returns
//! its event, unless the event says what else to do.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ::functions::{BoxFuture, Catalog, Context, Function, FunctionError};
use function_runner::{Runner, Settings, serve};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::support::{access, soon};

pub(crate) const PYTHON: &str = include_str!("functions/index.py");
pub(crate) const NODE: &str = include_str!("functions/index.js");
pub(crate) const BASH: &str = include_str!("functions/bootstrap");

/// The default `PATH` in which the runner looks for interpreters.
const PATH: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// The settings of the function in `language`, whose code is in the folder with this name.
pub(crate) fn function(language: &str, lines: &str) -> String {
    let (runtime, rest) = match language {
        "rust" => ("rust", "handler = \"acts\""),
        "python" => ("python3", "handler = \"index.main_handler\"\ncode = \"python\""),
        "node" => ("nodejs", "handler = \"index.main_handler\"\ncode = \"node\""),
        "bash" => ("custom", "code = \"bash\""),
        other => panic!("{other}"),
    };
    format!("[functions.{language}]\nruntime = \"{runtime}\"\n{rest}\n{lines}\n")
}

/// Whether the interpreter of `language` is installed. In CI a missing interpreter is a failure.
pub(crate) fn has(language: &str) -> bool {
    let programs: &[&str] = match language {
        "python" => &["python3"],
        "node" => &["node"],
        "bash" => &["bash", "curl"],
        _ => &[],
    };
    let is_there = |program: &&str| PATH.iter().any(|dir| Path::new(dir).join(program).exists());
    let Some(missing) = programs.iter().find(|program| !is_there(program)) else { return true };
    skipped::without(format!("{missing} is missing"));
    false
}

/// The Python with the client packages of the clouds, from a variable that CI sets.
pub(crate) fn cloud_python() -> Option<String> {
    let python = std::env::var("LONGHOLD_CLOUD_PYTHON").ok();
    if python.is_none() {
        skipped::without(
            "set LONGHOLD_CLOUD_PYTHON to a python3 that has the packages \
             tencentcloud-sdk-python-scf and awslambdaric",
        );
    }
    python.filter(|_| has("python"))
}

/// A folder with the code in all languages.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "python/index.py", PYTHON);
    write(folder.path(), "node/index.js", NODE);
    write(folder.path(), "bash/bootstrap", BASH);
    folder
}

/// Writes an executable file.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A running runner.
pub(crate) struct Functions {
    pub(crate) folder: TempDir,
    url: String,
    http: reqwest::Client,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Functions {
    pub(crate) async fn start(text: &str) -> Self {
        Self::start_in(folder(), text).await
    }

    pub(crate) async fn start_in(folder: TempDir, text: &str) -> Self {
        let mut settings = parse(folder.path(), text).unwrap();
        // Nobody calls when the runner is stopped.
        settings.drain.delay = Duration::ZERO;
        settings.access = access::given();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(Runner::start(settings).unwrap(), listener, stop.clone()));
        Self { folder, url, http: access::operator(), stop, serving }
    }

    /// Invokes `name`. Returns the status and the body.
    pub(crate) async fn invoke(&self, name: &str, event: &Value) -> (u16, Value) {
        let url = format!("{}/functions/{name}/invocations", self.url);
        let request = self.http.post(url).body(event.to_string()).send();
        let response = soon("an answer", request).await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    /// Invokes `name`, which must succeed. Returns the reply.
    pub(crate) async fn returns(&self, name: &str, event: &Value) -> Value {
        let (status, reply) = self.invoke(name, event).await;
        assert_eq!(status, 200, "{name} {event}: {reply}");
        reply
    }

    /// The address of the runner.
    pub(crate) fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// GETs `path`. The body of the response has not been read yet.
    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.url)).send();
        soon("an answer", request).await.unwrap()
    }

    /// Stops the runner and waits for its end.
    pub(crate) async fn finish(self) {
        // The runner waits for connected callers.
        drop(self.http);
        self.stop.cancel();
        soon("the end of the runner", self.serving).await.unwrap();
    }
}

pub(crate) fn parse(folder: &Path, text: &str) -> Result<Settings, String> {
    let none = BTreeMap::new();
    let catalog = Catalog::built_in().with("acts", |_| Ok(Arc::new(Acts)));
    let file = folder.join("functions.toml");
    Settings::parse(&file, text, &none, &none, &catalog).map_err(|error| error.to_string())
}

/// The function for these tests in Rust.
struct Acts;

impl Function for Acts {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        _: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>> {
        Box::pin(async {
            let event: Value = serde_json::from_slice(event).unwrap();
            // The event of a test, or that of a gateway.
            match event["do"].as_str().or(event["websocket"]["data"].as_str()) {
                Some("raise") => Err(FunctionError::raised("no luck")),
                // Each of these characters takes six bytes as JSON.
                Some("raise at length") => Err(FunctionError::raised("\u{1}".repeat(2 << 20))),
                Some("pause") => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    Ok(event)
                }
                Some("hang") => {
                    tokio::time::sleep(Duration::from_secs(1000)).await;
                    Ok(event)
                }
                Some("grow") => Ok(json!("x".repeat(7 << 20))),
                _ => Ok(event),
            }
        })
    }
}
