//! Settings of a made-up server, read from files and variables, good and bad.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod file;
mod variables;

use std::{collections::BTreeMap, path::Path, time::Duration};

use super::*;

#[derive(Debug, Default, PartialEq)]
struct Server {
    public: Option<String>,
    max: Option<u64>,
    quiet: Option<bool>,
    drain: Option<Duration>,
    apis: Vec<(String, Option<Duration>)>,
    functions: Vec<(String, Option<u64>)>,
    variables: Vec<(String, String)>,
}

impl Server {
    fn read(root: &mut Section) -> Self {
        let time = duration(Duration::from_secs(1)..=Duration::from_secs(60));
        let mut listen = root.section("listen");
        let read_api = |section: &mut Section| {
            let timeout = section.read("timeout", &time);
            Some((section.require("id", &text())?, timeout))
        };
        Self {
            public: listen.read("public", &text()),
            max: root.read("max", &count(1..=100)),
            quiet: root.read("quiet", &flag()),
            drain: root.section("drain").section("hard").read("time-out", &time),
            apis: root.sections("api").iter_mut().filter_map(read_api).collect(),
            functions: root
                .named_sections("functions")
                .into_iter()
                .map(|(name, mut section)| (name, section.read("memory_mb", &count(1..=100))))
                .collect(),
            variables: root.entries("variables", &text()),
        }
    }
}

fn read(file: &str, variables: &[(&str, &str)]) -> Result<Server, SettingsError> {
    let variables: BTreeMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Document::parse(Path::new("server.toml"), file, "SERVER", &variables)?
        .read(|root| Some(Server::read(root)))
}

#[track_caller]
fn check(file: &str, variables: &[(&str, &str)], expected: &Server) {
    match read(file, variables) {
        Ok(server) => assert_eq!(server, *expected),
        Err(error) => panic!("{error}"),
    }
}

/// All `problems` are reported, at once and in this order.
#[track_caller]
fn check_problems(file: &str, variables: &[(&str, &str)], problems: &[&str]) {
    let SettingsError(found) = read(file, variables).unwrap_err();
    assert_eq!(found.iter().map(Problem::to_string).collect::<Vec<_>>(), problems);
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

fn owned(text: &str) -> String {
    text.to_owned()
}

const FILE: &str = r#"
    max = 5
    quiet = false
    [listen]
    public = "a"
    [drain.hard]
    time-out = "5s"
    [[api]]
    id = "first"
    [[api]]
    id = "second"
    timeout = "2s"
    [functions.chat-transmit]
    memory_mb = 1
    [variables]
    push = "b"
"#;

fn file_server() -> Server {
    Server {
        public: Some(owned("a")),
        max: Some(5),
        quiet: Some(false),
        drain: seconds(5),
        apis: vec![(owned("first"), None), (owned("second"), seconds(2))],
        functions: vec![(owned("chat-transmit"), Some(1))],
        variables: vec![(owned("push"), owned("b"))],
    }
}
