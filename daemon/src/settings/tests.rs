//! Settings of a made-up server, read from files and variables, good and bad.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

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

#[test]
fn a_file_is_read() {
    check(FILE, &[], &file_server());
    check("", &[], &Server::default());
}

#[test]
fn variables_override_the_file() {
    let variables = [
        ("SERVER__LISTEN__PUBLIC", "b"),
        ("SERVER__MAX", "6"),
        ("SERVER__QUIET", "true"),
        ("SERVER__DRAIN__HARD__TIME_OUT", "6s"),
        ("SERVER__API__0__TIMEOUT", "7s"),
        ("SERVER__API__1__ID", "third"),
        ("SERVER__FUNCTIONS__CHAT_TRANSMIT__MEMORY_MB", "2"),
        ("SERVER__VARIABLES__PUSH", "12"),
        ("SERVERS__MAX", "7"),
        ("SERVER_MAX", "7"),
        ("MAX", "7"),
    ];
    let expected = Server {
        public: Some(owned("b")),
        max: Some(6),
        quiet: Some(true),
        drain: seconds(6),
        apis: vec![(owned("first"), seconds(7)), (owned("third"), seconds(2))],
        functions: vec![(owned("chat-transmit"), Some(2))],
        variables: vec![(owned("push"), owned("12"))],
    };
    check(FILE, &variables, &expected);
}

/// A container may have an empty file, and all its settings in variables.
#[test]
fn variables_need_nothing_of_the_file() {
    let variables = [
        ("SERVER__LISTEN__PUBLIC", "b"),
        ("SERVER__MAX", "6"),
        ("SERVER__QUIET", "true"),
        ("SERVER__DRAIN__HARD__TIME_OUT", "6s"),
        ("SERVER__FUNCTIONS__F__MEMORY_MB", "2"),
        ("SERVER__FUNCTIONS__g__memory_mb", "3"),
        ("SERVER__VARIABLES__PUSH", "true"),
    ];
    let expected = Server {
        public: Some(owned("b")),
        max: Some(6),
        quiet: Some(true),
        drain: seconds(6),
        apis: vec![],
        functions: vec![(owned("F"), Some(2)), (owned("g"), Some(3))],
        variables: vec![(owned("PUSH"), owned("true"))],
    };
    check("", &variables, &expected);
}

#[test]
fn all_that_is_wrong_in_a_file_is_reported_at_once() {
    let file = r#"
        max = 0
        quiet = "true"
        drain = 5
        functions = { f = 1, g = { memory = 1 } }
        extra = 1
        [listen]
        pubic = "a"
        public = ""
        [[api]]
        timeout = "soon"
        [[api]]
        id = 7
        tiemout = "1s"
        [variables]
        push = ["a"]
        [unknown]
        key = 1
    "#;
    let time = "use a duration from 1s to 1m, such as \"15s\"";
    check_problems(
        file,
        &[],
        &[
            "server.toml: listen.public: \"\" is not valid; use a string that is not empty",
            "server.toml: max: 0 is not valid; use a whole number from 1 to 100",
            "server.toml: quiet: \"true\" is not valid; use true or false",
            "server.toml: drain: is not a table; use the keys of [drain]",
            &format!("server.toml: api[0].timeout: \"soon\" is not valid; {time}"),
            "server.toml: api[0].id: is missing; use a string that is not empty",
            "server.toml: api[1].id: 7 is not valid; use a string that is not empty",
            "server.toml: functions.f: is not a table; use [functions.f]",
            "server.toml: functions.g.memory: is not a setting; known here: memory_mb",
            "server.toml: variables.push: [\"a\"] is not valid; use a string that is not empty",
            "server.toml: api[1].tiemout: is not a setting; known here: timeout, id",
            "server.toml: listen.pubic: is not a setting; known here: public",
            "server.toml: extra: is not a setting; known here: listen, max, quiet, drain, api, \
             functions, variables",
            "server.toml: unknown: is not a setting; known here: listen, max, quiet, drain, api, \
             functions, variables",
        ],
    );
}

#[test]
fn an_array_must_hold_tables() {
    let problem = "server.toml: api: is not a list of tables; use [[api]] in the file";
    check_problems("[api]\nid = \"a\"", &[], &[problem]);
    check_problems("api = 1", &[], &[problem]);
    let problem = "server.toml: api[1]: is not a table; use [[api]]";
    check_problems("api = [{ id = \"a\" }, 1]", &[], &[problem]);
}

#[test]
fn a_value_that_is_not_valid_is_reported_with_its_variable() {
    let number = "is not valid; use a whole number from 1 to 100";
    for file in ["", FILE] {
        for (variable, value, problem) in [
            ("SERVER__MAX", "101", format!("\"101\" {number}")),
            ("SERVER__MAX", "", format!("\"\" {number}")),
            ("SERVER__MAX", "1\nquiet = true", format!("\"1\\nquiet = true\" {number}")),
            ("SERVER__max", "many", format!("\"many\" {number}")),
            ("SERVER__QUIET", "yes", owned("\"yes\" is not valid; use true or false")),
            (
                "SERVER__LISTEN__PUBLIC",
                "",
                owned("\"\" is not valid; use a string that is not empty"),
            ),
            (
                "SERVER__DRAIN__HARD__TIME_OUT",
                "2h",
                owned("\"2h\" is not valid; use a duration from 1s to 1m, such as \"15s\""),
            ),
            ("SERVER__FUNCTIONS__CHAT_TRANSMIT__MEMORY_MB", "0", format!("\"0\" {number}")),
            ("SERVER__LISTEN", "a", owned("is not a table; use the keys of [listen]")),
            ("SERVER__API", "a", owned("is not a list of tables; use [[api]] in the file")),
        ] {
            check_problems(file, &[(variable, value)], &[&format!("{variable}: {problem}")]);
        }
    }
    let problem = "SERVER__API__1__TIMEOUT: \"0s\" is not valid; use a duration from 1s to 1m, such \
                   as \"15s\"";
    check_problems(FILE, &[("SERVER__API__1__TIMEOUT", "0s")], &[problem]);
    let problem = "SERVER__API__1: is not a table; use [[api]]";
    check_problems(FILE, &[("SERVER__API__1", "a")], &[problem]);
}

#[test]
fn a_variable_that_names_no_setting_is_reported() {
    let known = "known here: listen, max, quiet, drain, api, functions, variables";
    for file in ["", FILE] {
        check_problems(
            file,
            &[
                ("SERVER__DRAIN__HARD__TIMEOUT", "1s"),
                ("SERVER__LISTEN__PUBIC", "a"),
                ("SERVER__NOPE", "1"),
                ("SERVER__NOT__A__SETTING", "1"),
                ("SERVER__NOT__B", "1"),
            ],
            &[
                "SERVER__DRAIN__HARD__TIMEOUT: drain.hard.TIMEOUT is not a setting; known here: \
                 time-out",
                "SERVER__LISTEN__PUBIC: listen.PUBIC is not a setting; known here: public",
                &format!("SERVER__NOPE: NOPE is not a setting; {known}"),
                &format!("SERVER__NOT__A__SETTING: NOT is not a setting; {known}"),
                &format!("SERVER__NOT__B: NOT is not a setting; {known}"),
            ],
        );
    }
    let problem = "SERVER__API__0__IDD: api[0].IDD is not a setting; known here: timeout, id";
    check_problems(FILE, &[("SERVER__API__0__IDD", "a")], &[problem]);
}

/// A user who corrects all that is reported finds no other place with the same table.
#[test]
fn an_unknown_table_is_reported_for_all_that_put_it_there() {
    let known = "known here: listen, max, quiet, drain, api, functions, variables";
    check_problems(
        "[nope]\na = 1",
        &[("SERVER__NOPE__A", "1"), ("SERVER__NOPE__B__C", "1")],
        &[
            &format!("server.toml: nope: is not a setting; {known}"),
            &format!("SERVER__NOPE__A: nope is not a setting; {known}"),
            &format!("SERVER__NOPE__B__C: nope is not a setting; {known}"),
        ],
    );
}

#[test]
fn a_variable_must_lead_to_a_place() {
    check_problems(
        FILE,
        &[
            ("SERVER__", "1"),
            ("SERVER__LISTEN__", "a"),
            ("SERVER__LISTEN____PUBLIC", "a"),
            ("SERVER__API__2__ID", "a"),
            ("SERVER__API__FIRST__ID", "a"),
            ("SERVER__API__-1__ID", "a"),
            ("SERVER__LISTEN__PUBLIC__PORT", "1"),
            ("SERVER__MAX__MIN", "1"),
        ],
        &[
            "SERVER__: names no setting: a part of it is empty",
            "SERVER__API__-1__ID: api has no element \"-1\"; use a number from 0 to 1",
            "SERVER__API__2__ID: api has no element \"2\"; use a number from 0 to 1",
            "SERVER__API__FIRST__ID: api has no element \"FIRST\"; use a number from 0 to 1",
            "SERVER__LISTEN__: names no setting: a part of it is empty",
            "SERVER__LISTEN__PUBLIC__PORT: public is not a table; leave out what follows it",
            "SERVER__LISTEN____PUBLIC: names no setting: a part of it is empty",
            "SERVER__MAX__MIN: max is not a table; leave out what follows it",
        ],
    );
    let problem = "SERVER__API__0__ID: api has no elements; add them to the file";
    check_problems("api = []", &[("SERVER__API__0__ID", "a")], &[problem]);
    let problem = "SERVER__API__0__ID: is not a list of tables; use [[api]] in the file";
    check_problems("", &[("SERVER__API__0__ID", "a")], &[problem]);
}

/// Problems of variables come before those of the file.
#[test]
fn the_file_and_the_variables_are_reported_together() {
    let error = read("max = 0", &[("SERVER__QUIET", "no"), ("SERVER__QUIET__A", "1")]).unwrap_err();
    let expected = "bad settings
  SERVER__QUIET__A: QUIET is not a table; leave out what follows it
  server.toml: max: 0 is not valid; use a whole number from 1 to 100
  SERVER__QUIET: \"no\" is not valid; use true or false";
    assert_eq!(error.to_string(), expected);
}

/// Only variables may have keys in upper case. Those of a file are spelled as documented.
#[test]
fn a_file_does_not_spell_like_a_variable() {
    let known = "known here: listen, max, quiet, drain, api, functions, variables";
    for variables in [&[][..], &[("SERVER__LISTEN__PUBLIC", "a")]] {
        let SettingsError(problems) = read("[LISTEN]\npublic = \"b\"", variables).unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            format!("server.toml: LISTEN: is not a setting; {known}")
        );
    }
}

#[test]
fn a_file_that_is_not_toml_is_reported_with_the_line() {
    let SettingsError(problems) = read("max = 1\nquiet = yes\n", &[]).unwrap_err();
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!(problem.place, "server.toml");
    assert!(problem.what.contains("line 2, column 9"), "{problem}");
    // The line may hold a secret.
    assert!(!problem.what.contains("quiet = yes"), "{problem}");
}

/// A problem of several settings together, which is found after reading, has its place too.
#[test]
fn callers_add_problems_of_their_own() {
    let read = |variables: &BTreeMap<_, _>| {
        let file = Path::new("server.toml");
        let document = Document::parse(file, "", "SERVER", variables).unwrap();
        let outcome = document.read(|root| {
            let mut listen = root.section("listen");
            listen.read("public", &text());
            listen.problem("public", "is taken; use another");
            Some(())
        });
        outcome.unwrap_err().0[0].to_string()
    };
    assert_eq!(read(&BTreeMap::new()), "server.toml: listen.public: is taken; use another");
    let variables = BTreeMap::from([(owned("SERVER__LISTEN__PUBLIC"), owned("a"))]);
    assert_eq!(read(&variables), "SERVER__LISTEN__PUBLIC: is taken; use another");
}

/// The same for a problem that shows only when the settings are used.
#[test]
fn origins_name_the_place_of_a_key_when_the_document_is_gone() {
    let file = Path::new("server.toml");
    let variables = BTreeMap::from([(owned("SERVER__LISTEN__PUBLIC"), owned("a"))]);
    let document = Document::parse(file, "max = 1", "SERVER", &variables).unwrap();
    let read = |root: &mut Section| {
        Server::read(root);
        Some(root.origins())
    };
    let origins = document.read(read).unwrap();
    let problem = |key| origins.problem(key, "is taken").to_string();
    assert_eq!(problem("max"), "server.toml: max: is taken");
    assert_eq!(problem("listen.public"), "SERVER__LISTEN__PUBLIC: is taken");
}

/// Keys are listed in the order in which they are read, without a file.
#[test]
fn the_keys_that_are_read_can_be_listed() {
    let time = "a duration from 1s to 1m";
    let expected = [
        ("[listen]", "public", "a string that is not empty", "none"),
        ("", "max", "a whole number from 1 to 100", "none"),
        ("", "quiet", "true or false", "none"),
        ("[drain.hard]", "time-out", time, "none"),
        ("[[api]]", "timeout", time, "none"),
        ("[[api]]", "id", "a string that is not empty", "required"),
        ("[functions.<name>]", "memory_mb", "a whole number from 1 to 100", "none"),
        ("[variables]", "<key>", "a string that is not empty", "none"),
    ];
    let keys = describe(Server::read);
    let found: Vec<_> = keys
        .iter()
        .map(|Key { table, name, values, default }| (&**table, &**name, &**values, &**default))
        .collect();
    assert_eq!(found, expected);
}

/// A default is what a file would say.
#[test]
fn defaults_stand_in_for_keys_that_are_not_set_or_not_valid() {
    fn read(root: &mut Section) -> (u16, bool, Duration, usize, String) {
        (
            root.read_or("max", &count(1..=100), "7"),
            root.read_or("quiet", &flag(), "true"),
            root.read_or("time", &duration(Duration::ZERO..=Duration::from_secs(60)), "1m"),
            root.read_or("queue", &bytes(1..=1 << 30), "64KiB"),
            root.read_derived("name", &text(), "the queue").unwrap_or_else(|| "derived".to_owned()),
        )
    }
    let document =
        |text| Document::parse(Path::new("server.toml"), text, "SERVER", &BTreeMap::new()).unwrap();
    let defaults = (7, true, Duration::from_secs(60), 64 << 10, owned("derived"));
    assert_eq!(document("").read(|root| Some(read(root))).unwrap(), defaults);
    let mut found = None;
    let SettingsError(problems) = document("max = 101")
        .read(|root| {
            found = Some(read(root));
            Some(())
        })
        .unwrap_err();
    assert_eq!(found, Some(defaults));
    assert_eq!(problems.len(), 1);
    let listed: Vec<_> = describe(read).into_iter().map(|key| key.default).collect();
    assert_eq!(listed, ["7", "true", "1m", "64KiB", "the queue"]);
}
