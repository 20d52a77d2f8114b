//! The log lines of an invocation, which people search for.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::{functions::function, http::invocation, server::Server};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The lines of functions that pass `filter` when `handler` is invoked with the id `abc`.
async fn logged(filter: &str, handler: &str) -> Vec<Value> {
    let lines = Lines::default();
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(lines.clone())
        .json()
        .flatten_event(true)
        .finish();
    let guard = tracing::subscriber::set_default(log);
    let server = Server::start(&function(handler, "")).await;
    server.send(&invocation(handler, "x-scf-request-id: abc\r\n", b"\"hi\"")).await;
    server.stop().await;
    drop(guard);
    let lines = lines.0.lock().unwrap();
    let lines = lines.split(|byte| *byte == b'\n');
    let lines = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    lines.filter(|line| line["target"] == "function").collect()
}

fn messages(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_reply_leaves_the_documented_lines() {
    let lines = logged("function=debug", "returns").await;
    let duration_ms = &lines.last().unwrap()["duration_ms"];
    let report = format!("Report RequestId:abc Duration:{duration_ms}ms Memory:128MB");
    let expected =
        ["START RequestId:abc", "Response RequestId:abc Bytes:4", "END RequestId:abc", &report];
    assert_eq!(messages(&lines), expected);
    for line in &lines {
        assert_eq!(line["span"]["function.name"], "returns");
        assert_eq!(line["span"]["invocation.id"], "abc");
    }
}

#[tokio::test]
async fn a_fault_leaves_an_error_line_whatever_the_filter() {
    let lines = logged("warn", "raises").await;
    let expected = "ERROR RequestId:abc Result:{\"errorCode\":-1,\"errorMessage\":\"user code \
                    exception caught\",\"requestId\":\"abc\",\"stackTrace\":\"no luck\",\
                    \"statusCode\":430}";
    assert_eq!(messages(&lines), [expected]);
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(lines[0]["span"]["invocation.id"], "abc");
}

#[tokio::test]
async fn a_trace_of_several_lines_has_a_log_line_for_each() {
    let lines = logged("warn", "raises-lines").await;
    let found = messages(&lines);
    assert!(found[0].starts_with("ERROR RequestId:abc Result:"), "{found:?}");
    assert_eq!(found[1..], ["no luck", "  in f", "  in main"]);
    for line in &lines {
        assert_eq!(line["span"]["invocation.id"], "abc");
    }
}
