//! What the gateway logs of calls that fail: whose call it was, and what its status means.

use std::fs;

use http::HeaderMap;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
};

use crate::support::{
    backend::{Backend, Reply},
    client::Client,
    process::Process,
};

/// A gateway with the API `api-test`, whose log is JSON.
struct Logged {
    gateway: Process,
    _folder: tempfile::TempDir,
}

impl Logged {
    /// `lines` are those of the API. `runner` is the address of the functions that have a name.
    async fn start(runner: &str, lines: &str) -> Self {
        Self::start_with_filter("info", runner, lines).await
    }

    async fn start_with_filter(filter: &str, runner: &str, lines: &str) -> Self {
        let text = format!(
            "listen = {{ public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }}\n\
             runner.url = {runner:?}\nlog = {{ format = \"json\", filter = {filter:?} }}\n\
             [[api]]\nid = \"api-test\"\npath = \"/test\"\n{lines}"
        );
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("gateway.toml"), text).unwrap();
        let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
        Self { gateway, _folder: folder }
    }

    async fn connect(&self) -> Result<Client, (u16, HeaderMap, String)> {
        let client = Client::connect(self.gateway.address("public"), "/test").await;
        client.map_err(|refused| {
            let body: Value = serde_json::from_slice(refused.body()).unwrap();
            let message = body["message"].as_str().unwrap().to_owned();
            (refused.status().as_u16(), refused.headers().clone(), message)
        })
    }

    /// The first line with this text, once there is one.
    async fn line(&self, text: &str) -> Value {
        self.gateway.logged(text).await;
        let log = self.gateway.log();
        let line = log.lines().find(|line| line.contains(text)).unwrap();
        serde_json::from_str(line).unwrap()
    }

    async fn end(self) {
        assert_eq!(self.gateway.stopped().await.code(), Some(0));
    }
}

/// The fields of a line, except those that differ from call to call.
fn fields(line: &Value) -> Value {
    let names = ["level", "call.event", "api.id", "function.name", "url.full", "attempt", "error"];
    let fields = names.map(|name| (name.to_owned(), line[name].clone()));
    for id in ["connection.id", "invocation.id"] {
        assert!(line[id].as_str().is_some_and(|id| !id.is_empty()), "{line}");
    }
    Value::Object(fields.into_iter().collect())
}

/// A runner without the function `nobody`.
async fn runner(folder: &tempfile::TempDir) -> Process {
    let text = "listen.internal = \"127.0.0.1:0\"\n[functions.echo-transmit]\nruntime = \"rust\"\n\
                handler = \"echo\"\nenvironment.url = \"http://127.0.0.1:1/x\"\n";
    fs::write(folder.path().join("functions.toml"), text).unwrap();
    Process::start("function-runner", &[], folder.path(), &[]).await
}

#[tokio::test]
async fn a_line_of_a_failed_call_names_event_api_function_url_and_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let runner = runner(&folder).await;
    let url = format!("http://{}", runner.address("internal"));
    let nobody = format!("{url}/functions/nobody/invocations");
    let expected = |level: &str, event: &str| {
        json!({
            "level": level, "call.event": event, "api.id": "api-test", "function.name": "nobody",
            "url.full": nobody, "attempt": 1, "error": "function answered 435: no such function",
        })
    };

    let gateway = Logged::start(&url, "register = \"nobody\"\ntransmit = \"nobody\"").await;
    assert_eq!(gateway.connect().await.err().unwrap().0, 502);
    assert_eq!(fields(&gateway.line("register failed").await), expected("WARN", "register"));
    gateway.end().await;

    let gateway = Logged::start(&url, "transmit = \"nobody\"\ncleanup = \"nobody\"").await;
    let mut client = gateway.connect().await.unwrap();
    client.send("hi").await;
    assert_eq!(client.closed().await, 1011);
    let line = gateway.line("transmit of api-test failed").await;
    assert_eq!(fields(&line), expected("WARN", "transmit"));
    let line = gateway.line("cleanup failed").await;
    assert_eq!((fields(&line), &line["left_out"]), (expected("WARN", "cleanup"), &json!(0)));
    gateway.end().await;
    assert_eq!(runner.stopped().await.code(), Some(0));
}

#[tokio::test]
async fn a_line_shows_no_secret_of_an_address() {
    let backend = Backend::start().await;
    let url = backend.url.replace("http://", "http://user:secret@");
    let lines = format!("transmit = \"{url}/transmit?key=secret\"");
    let gateway = Logged::start("http://127.0.0.1:1", &lines).await;
    backend.always("transmit", Reply::status(406));
    let mut client = gateway.connect().await.unwrap();
    client.send("hi").await;
    assert_eq!(client.closed().await, 1009);
    let line = gateway.line("transmit failed: the message is too large").await;
    let shown = format!("{}/transmit?…", backend.url);
    assert_eq!(
        fields(&line),
        json!({
            "level": "INFO", "call.event": "transmit", "api.id": "api-test", "function.name": null,
            "url.full": shown, "attempt": 1, "error": "function answered 406: Not Acceptable",
        })
    );
    assert!(!gateway.gateway.log().contains("secret"));
    gateway.end().await;
    backend.stop();
}

#[tokio::test]
async fn a_client_learns_that_the_function_cannot_be_reached_and_the_log_has_the_retries() {
    // Bound for the whole test, so that nobody else listens there.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = closed.local_addr().unwrap();
    let lines = format!("register = \"http://{address}/\"\ntransmit = \"x\"\ntimeout = \"300ms\"");
    let gateway = Logged::start("http://127.0.0.1:1", &lines).await;
    let (status, headers, message) = gateway.connect().await.err().unwrap();
    let expected = "the function cannot be reached, try again later";
    assert_eq!((status, message.as_str()), (503, expected));
    assert!(headers.contains_key("retry-after"));
    let retry = gateway.line("register did not run, will be tried again").await;
    assert_eq!((&retry["level"], &retry["attempt"]), (&json!("WARN"), &json!(1)));
    assert_eq!(fields(&retry)["error"], "function did not answer");
    let source = retry["source"].as_str().unwrap();
    assert!(source.contains("Connection refused"), "{source}");
    let failed = gateway.line("register failed").await;
    assert!(failed["attempt"].as_u64().unwrap() > 1, "{failed}");
    gateway.end().await;
    drop(closed);
}

#[tokio::test]
async fn a_function_without_a_free_instance_is_not_called_lack_of_room() {
    let backend = Backend::start().await;
    let lines = format!(
        "register = \"{0}/register\"\ntransmit = \"{0}/transmit\"\ntimeout = \"2s\"",
        backend.url
    );
    let gateway = Logged::start("http://127.0.0.1:1", &lines).await;
    backend.always("register", Reply::status(432));
    let (status, _, message) = gateway.connect().await.err().unwrap();
    assert_eq!(
        (status, &*message),
        (503, "the function takes no calls at present, try again later")
    );
    gateway.end().await;
    backend.stop();
}

#[tokio::test]
async fn a_register_without_a_body_is_told_that_one_was_expected() {
    let backend = Backend::start().await;
    let lines = format!("register = \"{0}/register\"\ntransmit = \"{0}/transmit\"", backend.url);
    let gateway = Logged::start("http://127.0.0.1:1", &lines).await;
    backend.always("register", Reply { status: 204, body: Vec::new() });
    assert_eq!(gateway.connect().await.err().unwrap().0, 502);
    let line = gateway.line("register answered something unreadable").await;
    let error = "register reply is not {\"errNo\":…,\"errMsg\":…}: a body was expected, and there \
                 is none";
    assert_eq!((&line["call.event"], &line["error"]), (&json!("register"), &json!(error)));
    gateway.end().await;
    backend.stop();
}

/// A Python handler without `return` answers so.
#[tokio::test]
async fn a_register_that_returns_nothing_is_told_what_was_expected() {
    let backend = Backend::start().await;
    let lines = format!("register = \"{0}/register\"\ntransmit = \"{0}/transmit\"", backend.url);
    let gateway = Logged::start("http://127.0.0.1:1", &lines).await;
    backend.always("register", Reply { status: 200, body: b"null".to_vec() });
    assert_eq!(gateway.connect().await.err().unwrap().0, 403);
    let line = gateway.line("register answered null").await;
    let expected = json!(["INFO", "api-test", format!("{}/register", backend.url)]);
    assert_eq!(json!([line["level"], line["api.id"], line["url.full"]]), expected);
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("return {\"errNo\":0,\"errMsg\":\"ok\"}"), "{message}");
    gateway.end().await;
    backend.stop();
}

/// 503 of another service is no drain of the runner.
#[tokio::test]
async fn answers_of_a_url_are_named_as_http_names_them() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let lines = format!("register = \"{url}/f\"\ntransmit = \"x\"\ntimeout = \"1s\"");
    let gateway = Logged::start("http://127.0.0.1:1", &lines).await;
    for (answer, error) in [
        ("garbage", "the answer of the function is not valid HTTP"),
        ("200 OK\r\ncontent-length: 9\r\n\r\n{}", "the answer of the function broke off"),
        ("404 x\r\ncontent-length: 0\r\n\r\n", "function answered 404: Not Found"),
        ("450 x\r\ncontent-length: 0\r\n\r\n", "function answered 450: a status that has no name"),
        ("503 x\r\ncontent-length: 0\r\n\r\n", "function answered 503: Service Unavailable"),
    ] {
        let serve = async {
            let (mut stream, _) = server.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            stream.write_all(format!("HTTP/1.1 {answer}\r\n").as_bytes()).await.unwrap();
        };
        let (refused, ()) = tokio::join!(gateway.connect(), serve);
        assert!(refused.is_err());
        let line = gateway.line(error).await;
        if error.contains("answer of the function") {
            assert!(line["source"].as_str().is_some_and(|source| source.contains(": ")), "{line}");
        }
    }
    gateway.end().await;
}

/// Some libraries close so each time, so only the first one of each API is at info.
#[tokio::test]
async fn the_log_has_the_close_code_that_a_client_may_not_send() {
    let (runner, lines) = ("http://127.0.0.1:1", "transmit = \"x\"");
    let gateway = Logged::start_with_filter("debug", runner, lines).await;
    for (code, level) in [(0_u16, "INFO"), (999, "DEBUG"), (5000, "DEBUG")] {
        let mut raw = gateway.connect().await.unwrap().into_raw();
        raw.write_all(&[b"\x88\x82\0\0\0\0", &code.to_be_bytes()[..]].concat()).await.unwrap();
        let line = gateway.line(&format!("close code {code} must not be sent")).await;
        assert!(
            line["message"].as_str().unwrap().starts_with("client broke the protocol"),
            "{line}"
        );
        assert_eq!(line["level"], level, "{line}");
        assert_eq!(line["api.id"], "api-test");
        assert!(line["connection.id"].is_string(), "{line}");
    }
    gateway.end().await;
}
