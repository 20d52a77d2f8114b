//! The log of a function over HTTP: its last lines, new lines, and readers that are too slow.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    Functions,
    functions::{folder, function, has, write},
};
use crate::support::soon;

/// A reader of the stream of events.
struct Events {
    response: Response,
    text: String,
}

/// One event of the stream: its id or its name, and its data.
type Event = (String, String);

impl Events {
    async fn of(functions: &Functions, name: &str, query: &str) -> Self {
        let response = functions.get(&format!("/functions/{name}/logs{query}")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                // A heartbeat is not an event.
                if event != ":" {
                    let (head, data) = event.split_once('\n').unwrap();
                    let data = data.strip_prefix("data: ").unwrap().to_owned();
                    return Some((head.to_owned(), data));
                }
            } else {
                let piece = soon("a piece of the log", self.response.chunk()).await.unwrap()?;
                self.text.push_str(str::from_utf8(&piece).unwrap());
            }
        }
    }

    /// The data of the next `count` events, with the numbers removed from reports.
    async fn lines(&mut self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < count {
            lines.push(self.next().await.expect("another event").1);
        }
        lines.iter().map(|line| without_numbers(line)).collect()
    }

    /// All remaining events.
    async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

/// The line without ids and numbers, which differ each time.
fn without_numbers(line: &str) -> String {
    let Some((start, rest)) = line.split_once("RequestId:") else { return line.to_owned() };
    let rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    let figures = |c: char| c.is_ascii_digit() || c == '.';
    let rest = if start.ends_with("Report ") { rest.replace(figures, "") } else { rest.to_owned() };
    format!("{start}{rest}")
}

/// A Python function that prints each item of its event on a line.
async fn printing() -> Functions {
    let folder = folder();
    let code = "def main_handler(event, context):\n    print(*event, sep='\\n')\n    return 0\n";
    write(folder.path(), "python/index.py", code);
    Functions::start_in(folder, &function("python", "")).await
}

/// The log lines of a warm invocation that prints `line`.
fn invocation(line: &str) -> [String; 5] {
    let report = "Report Duration:ms Memory:MB MemUsage:MB";
    ["START ", line, "Response Bytes:1", "END ", report].map(str::to_owned)
}

#[tokio::test]
async fn the_last_lines_of_a_function_can_be_read() {
    if !has("python") {
        return;
    }
    let functions = printing().await;
    functions.returns("python", &json!(["one"])).await;
    functions.returns("python", &json!(["two"])).await;
    let mut events = Events::of(&functions, "python", "").await;
    assert_eq!(events.lines(1).await, ["Init Report Coldstart:ms"]);
    assert_eq!(events.lines(5).await, invocation("one"));
    assert_eq!(events.lines(5).await, invocation("two"));
    assert_eq!(events.next().await, None);
    let last = Events::of(&functions, "python", "?tail=4").await.rest().await;
    assert_eq!(last[0], ("id: 7".to_owned(), "two".to_owned()));
    assert_eq!(last.len(), 4);
    functions.finish().await;
}

#[tokio::test]
async fn the_lines_of_a_function_in_rust_can_be_read_too() {
    let functions = Functions::start(&function("rust", "")).await;
    functions.returns("rust", &json!("hi")).await;
    functions.invoke("rust", &json!({ "do": "raise" })).await;
    let mut events = Events::of(&functions, "rust", "?tail=1000").await;
    let report = "Report Duration:ms Memory:MB";
    assert_eq!(events.lines(4).await, ["START ", "Response Bytes:4", "END ", report]);
    let lines = events.lines(4).await;
    assert!(lines[1].starts_with("ERROR Result:{\"errorCode\":-1"), "{lines:?}");
    assert!(lines[1].contains("no luck"), "{lines:?}");
    assert_eq!(events.next().await, None);
    functions.finish().await;
}

#[tokio::test]
async fn a_follower_gets_lines_as_they_come_until_the_runner_has_drained() {
    if !has("python") {
        return;
    }
    let functions = printing().await;
    functions.returns("python", &json!(["before"])).await;
    let mut events = Events::of(&functions, "python", "?tail=0&follow=true").await;
    for line in ["one", "two\u{4f60}"] {
        functions.returns("python", &json!([line])).await;
        assert_eq!(events.lines(5).await, invocation(line));
    }
    functions.finish().await;
    assert_eq!(events.rest().await, []);
}

#[tokio::test]
async fn a_slow_follower_gets_the_number_of_skipped_lines() {
    if !has("python") {
        return;
    }
    let functions = printing().await;
    let slow = Events::of(&functions, "python", "?tail=0&follow=true").await;
    // 40 MB, far more than all buffers between function and reader.
    let flood: Vec<_> = (0..900).map(|_| "x".repeat(1000)).collect();
    for _ in 0..45 {
        functions.returns("python", &json!(flood)).await;
    }
    functions.returns("python", &json!(["the last one"])).await;
    functions.finish().await;
    let (mut next, mut skipped) = (0, 0);
    let events = slow.rest().await;
    for (head, data) in &events {
        if head == "event: skipped" {
            let count: u64 = data.strip_suffix(" lines skipped").unwrap().parse().unwrap();
            skipped += count;
            next += count;
        } else {
            assert_eq!(
                *head,
                format!("id: {next}"),
                "a line is missing and was not counted as skipped"
            );
            next += 1;
        }
    }
    assert!(skipped > 0, "{} events", events.len());
    assert!(events.iter().any(|(_, data)| data == "the last one"));
}

#[tokio::test]
async fn at_most_64_readers_can_follow_at_once() {
    let functions = Functions::start(&function("rust", "")).await;
    let path = "/functions/rust/logs?follow=true";
    let mut followers = Vec::new();
    for _ in 0..64 {
        followers.push(functions.get(path).await);
    }
    assert!(followers.iter().all(|response| response.status() == StatusCode::OK));
    let refused = functions.get(path).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let refusal: Value = serde_json::from_slice(&refused.bytes().await.unwrap()).unwrap();
    assert_eq!(refusal["message"], "64 readers follow logs already; try again");
    // A reader that does not follow needs no permit.
    assert_eq!(functions.get("/functions/rust/logs").await.status(), StatusCode::OK);
    followers.pop();
    // The permit of a reader that has gone is free when the runner fails to write to the reader.
    soon("a free place", async {
        while functions.get(path).await.status() != StatusCode::OK {
            functions.returns("rust", &json!("something to read")).await;
        }
    })
    .await;
    functions.finish().await;
}
