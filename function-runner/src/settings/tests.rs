//! Settings: what is read, what is refused, and in which words.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::Duration,
};

use daemon::{check::Transport, reload::FromFile, settings::SettingsError};
use functions::{Catalog, Environment, StartError};

use super::{RuntimeSettings, SecretPair, Settings, internal_listener, subprocess::SubprocessKeys};

fn catalog() -> Catalog {
    let broken =
        |_: &Environment| Err(StartError::new("KEY", "is bad").because("no such directory"));
    let never = |_: &Environment| panic!("parsing starts nothing");
    Catalog::built_in().with_check("broken", broken, never).with("unchecked", never)
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn parse(
    text: &str,
    variables: &BTreeMap<String, String>,
    extra: &BTreeMap<String, String>,
) -> Result<Settings, SettingsError> {
    Settings::parse(Path::new("functions.toml"), text, variables, extra, &catalog())
}

/// `problems` are all there are, each as "key: what".
fn check(text: &str, problems: &[&str]) {
    let found: Vec<_> = match parse(text, &map([]), &map([])) {
        Ok(_) => Vec::new(),
        Err(SettingsError(found)) => found.iter().map(ToString::to_string).collect(),
    };
    let expected: Vec<_> =
        problems.iter().map(|problem| format!("functions.toml: {problem}")).collect();
    assert_eq!(found, expected, "in {text}");
}

/// Settings of one function in Rust, with `lines` added.
fn echo(lines: &str) -> String {
    format!(
        "[functions.f]\nruntime = \"rust\"\nhandler = \"echo\"\n\
         environment = {{ url = \"http://127.0.0.1:1/api-x\" }}\n{lines}"
    )
}

#[test]
fn an_empty_file_means_the_defaults() {
    let settings = parse("", &map([]), &map([])).unwrap();
    assert_eq!(settings.internal, SocketAddr::from((Ipv4Addr::LOCALHOST, 9002)));
    assert_eq!(settings.max_invocations, 10_000);
    assert_eq!(settings.drain.timeout, Duration::from_secs(30));
    assert!(settings.functions.is_empty());
}

#[test]
fn a_function_has_defaults() {
    let settings = parse(&echo(""), &map([]), &map([])).unwrap();
    let [function] = <[_; 1]>::try_from(settings.functions).expect("one function");
    assert_eq!(function.name, "f");
    assert_eq!(function.timeout, Duration::from_secs(3));
    assert_eq!((function.memory_mb, function.max_instances), (128, 1000));
    assert_eq!((function.runtime.word(), function.runtime.handler()), ("rust", "echo"));
}

#[test]
fn each_bad_setting_of_a_function_is_named() {
    let timeout = "use a duration from 1s to 15m, such as \"15s\" or \"10m\"";
    let cases = [
        ("timeout = \"999ms\"", format!("functions.f.timeout: \"999ms\" is not valid; {timeout}")),
        ("timeout = \"901s\"", format!("functions.f.timeout: \"901s\" is not valid; {timeout}")),
        ("timeout = 3", format!("functions.f.timeout: 3 is not valid; {timeout}")),
        (
            "memory_mb = 63",
            "functions.f.memory_mb: 63 is not valid; use a whole number from 64 to 3072".to_owned(),
        ),
        (
            "max_instances = 0",
            "functions.f.max_instances: 0 is not valid; use a whole number from 1 to 10000"
                .to_owned(),
        ),
        (
            "code = \"somewhere\"",
            "functions.f.code: has no use with runtime \"rust\"; remove it".to_owned(),
        ),
        (
            "memory = 1",
            "functions.f.memory: is not a setting; did you mean \"memory_mb\"? Known here: \
             timeout, memory_mb, max_instances, environment, environment_files, push_to, runtime, min_instances, idle_after, \
             init_timeout, code, interpreter, user, private_tmp, tmp_mb, role, handler"
                .to_owned(),
        ),
    ];
    for (line, problem) in cases {
        check(&echo(line), &[&problem]);
    }
}

#[test]
fn a_runtime_and_a_handler_are_needed_and_known() {
    check(
        "[functions.f]",
        &["functions.f.runtime: is missing; use \"rust\" or \"python3\" or \
           \"nodejs\" or \"custom\""],
    );
    check("[functions.f]\nruntime = \"custom\"", &["functions.f.code: is missing; use a path"]);
    check(
        "[functions.f]\nruntime = \"rust\"",
        &["functions.f.handler: is missing; use a string that is not empty"],
    );
    check(
        "[functions.f]\nruntime = \"rust\"\nhandler = \"ecoh\"",
        &["functions.f.handler: no function is called \"ecoh\"; use \"broken\" or \"cleanup\" \
           or \"echo\" or \"register\" or \"transmit\" or \"unchecked\""],
    );
    check(
        "[functions.f]\nruntime = \"perl\"\nhandler = \"x\"",
        &["functions.f.runtime: \"perl\" is not valid; use \"rust\" or \"python3\" or \
           \"nodejs\" or \"custom\""],
    );
}

#[test]
fn each_bad_environment_is_named_and_its_values_are_not_shown() {
    let name = "is not a name for an environment variable; use letters, digits and _, and no \
                digit first";
    let long = "x".repeat(4096);
    let cases = [
        (
            "SCF_X = \"hunter2\"",
            "SCF_X: begins with SCF_, which is kept for the runner; rename it".to_owned(),
        ),
        (
            "QCLOUD_X = \"hunter2\"",
            "QCLOUD_X: begins with QCLOUD_, which is kept for the runner; rename it".to_owned(),
        ),
        (
            "TENCENTCLOUD_X = \"hunter2\"",
            "TENCENTCLOUD_X: begins with TENCENTCLOUD_, which is kept for the runner; rename it"
                .to_owned(),
        ),
        ("1a = \"hunter2\"", format!("1a: {name}")),
        ("a-b = \"hunter2\"", format!("a-b: {name}")),
        ("\"a b\" = \"hunter2\"", format!("a b: {name}")),
        ("a = 12345", "a: is not a string; put it in quotes".to_owned()),
        (
            "a = \"x\\u0000y\"",
            "a: has a NUL in it, which no environment can hold; remove it".to_owned(),
        ),
        (
            "a = \"${psuh}/x\"",
            "a: uses ${psuh}, which [variables] does not have; use ${push}".to_owned(),
        ),
        ("a = \"${push\"", "a: has a ${ without its }; use ${name}".to_owned()),
    ];
    for (entry, problem) in cases {
        let text = format!(
            "variables.push = \"http://x\"\n[functions.f]\nruntime = \"rust\"\n\
             handler = \"echo\"\nenvironment = {{ {entry} }}"
        );
        check(&text, &[&format!("functions.f.environment.{problem}")]);
    }
    check(
        &format!(
            "[functions.f]\nruntime = \"rust\"\nhandler = \"echo\"\nenvironment.a = \"{long}\""
        ),
        &["functions.f.environment: has 4097 bytes of keys and values; use 4096 at most"],
    );
}

#[test]
fn a_value_of_the_environment_may_be_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    file("plain", "hunter2 ${push}\r\n");
    file("long", &"hunter2".repeat(600));
    file("nul", "hunter2\0");
    file("open", "hunter2");
    fs::set_permissions(folder.path().join("open"), fs::Permissions::from_mode(0o644)).unwrap();
    let parse = |line: &str| {
        let (none, file) = (map([]), folder.path().join("functions.toml"));
        Settings::parse(&file, &echo(line), &none, &none, &catalog())
    };
    let settings = parse("environment_files = { KEY = \"plain\" }").unwrap();
    let RuntimeSettings::Rust(rust) = &settings.functions[0].runtime else { panic!() };
    assert_eq!(rust.environment.get("KEY"), Some("hunter2 ${push}"));
    assert_eq!(settings.folders(), [folder.path().join("plain")], "it is watched");
    assert!(!format!("{settings:?}").contains("hunter2"));
    for (line, words) in [
        ("{ url = \"plain\" }", "environment_files.url: is in environment too; remove one"),
        ("{ SCF_X = \"plain\" }", "environment_files.SCF_X: begins with SCF_"),
        ("{ \"a b\" = \"plain\" }", "environment_files.a b: is not a name for an"),
        ("{ KEY = \"open\" }", "has the permissions 644, so that other users of this machine"),
        ("{ KEY = \"nul\" }", "environment_files.KEY: has a NUL in it"),
        ("{ KEY = \"nowhere\" }", "nowhere cannot be read: No such file"),
        ("{ KEY = 7 }", "environment_files.KEY: 7 is not valid; use a path"),
        ("{ KEY = \"long\" }", "environment: has 4230 bytes of keys and values; use 4096 at most"),
    ] {
        let problems = parse(&format!("environment_files = {line}")).unwrap_err().to_string();
        assert!(problems.contains(words), "{problems}");
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn names_of_functions_and_variables_are_checked() {
    let use_instead = "use letters, digits, - and _, at most 60";
    for (bad, problem) in [
        ("", "is empty"),
        ("a b", "has a space in it"),
        ("a/b", "has a slash in it"),
        ("a.b", "has a dot in it"),
        ("\u{e9}", "has '\u{e9}' in it"),
        (&"x".repeat(61), "has 61 characters"),
    ] {
        let text = echo("").replace("functions.f", &format!("functions.\"{bad}\""));
        let what = format!("is not a name for a function: it {problem}; {use_instead}");
        check(&text, &[&format!("functions.{bad}: {what}")]);
    }
    // Without quotes TOML reads a table in a table.
    let what = format!("is not a name for a function: it has a dot in it; {use_instead}");
    let text = echo("").replace("functions.f", "functions.chat.transmit");
    check(&text, &[&format!("functions.chat.transmit: {what}")]);
    let both = format!("{}{}", echo(""), echo("").replace("functions.f", "functions.f.g"));
    check(&both, &[&format!("functions.f.g: {what}")]);
    let good = format!("functions.{}-_9", "x".repeat(57));
    check(&echo("").replace("functions.f", &good), &[]);
    check(
        "[variables]\n\"a}b\" = \"\"",
        &["variables.a}b: is not a name for a variable; use letters, digits, - and _"],
    );
}

#[test]
fn everything_that_is_wrong_comes_out_at_once_functions_that_do_not_start_included() {
    check(
        r#"
        [listen]
        internal = "nowhere"
        [limits]
        max_invocations = 0
        [drain]
        timeout = "2h"
        [log]
        format = "xml"
        [extra]
        [functions.a]
        runtime = "rust"
        handler = "broken"
        [functions.b]
        runtime = "rust"
        handler = "echo"
        timeout = "1h"
        "#,
        &[
            "listen.internal: \"nowhere\" is not valid; use an IP address and a port, such as \
             \"127.0.0.1:9000\"",
            "limits.max_invocations: 0 is not valid; use a whole number from 1 to 1000000",
            "drain.timeout: \"2h\" is not valid; use a duration from 0s to 1h, such as \
             \"15s\" or \"10m\"",
            "log.format: \"xml\" is not valid; use \"text\" or \"json\"",
            "functions.a.environment.KEY: environment key KEY is bad: no such directory",
            "functions.b.timeout: \"1h\" is not valid; use a duration from 1s to 15m, such as \
             \"15s\" or \"10m\"",
            "functions.b.environment.url: environment key url is missing: set it in the \
             environment of the function",
            "extra: is not a setting; known here: variables, cloud, listen, limits, access, internal_tls, outbound_tls, drain, invoke, reload, log, functions",
        ],
    );
}

#[test]
fn variables_of_the_process_override_the_file() {
    let text = format!("variables.push = \"\"\n{}", echo(""));
    let variables = map([
        ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "127.0.0.1:0"),
        ("LONGHOLD_FUNCTION_RUNNER__LIMITS__MAX_INVOCATIONS", "7"),
        ("LONGHOLD_FUNCTION_RUNNER__FUNCTIONS__F__MAX_INSTANCES", "5"),
        ("LONGHOLD_FUNCTION_RUNNER__FUNCTIONS__F__ENVIRONMENT__URL", "${push}/api-x"),
        ("LONGHOLD_FUNCTION_RUNNER__VARIABLES__PUSH", "http://127.0.0.1:1"),
        ("OTHER", "thing"),
    ]);
    let settings = parse(&text, &variables, &map([])).unwrap();
    assert_eq!(settings.internal.port(), 0);
    assert_eq!(settings.max_invocations, 7);
    assert_eq!(settings.functions[0].max_instances, 5);

    let bad = map([("LONGHOLD_FUNCTION_RUNNER__FUNCTIONS__F__TIMEOUT", "soon")]);
    let SettingsError(problems) = parse(&text, &bad, &map([])).unwrap_err();
    assert_eq!(problems[0].place, "LONGHOLD_FUNCTION_RUNNER__FUNCTIONS__F__TIMEOUT");
}

#[test]
fn extra_values_come_before_those_of_the_file() {
    let text = echo("").replace("http://127.0.0.1:1", "${push}");
    let text = format!("variables.push = \"not a url\"\n{text}");
    assert!(parse(&text, &map([]), &map([])).is_err(), "echo looks at its url");
    parse(&text, &map([]), &map([("push", "http://127.0.0.1:1")])).unwrap();
}

#[test]
fn parsing_starts_no_function() {
    check("[functions.f]\nruntime = \"rust\"\nhandler = \"unchecked\"", &[]);
}

#[test]
fn the_address_can_be_read_before_the_rest_is_right() {
    let file = Path::new("functions.toml");
    let text = "variables = { a = \"b\" }\n[listen]\ninternal = \"127.0.0.1:7\"\n\
                [functions.f]\nruntime = \"rust\"\nhandler = \"broken\"";
    assert_eq!(internal_listener(file, text, &map([])).unwrap().0.port(), 7);
    assert_eq!(internal_listener(file, "", &map([])).unwrap().0.port(), 9002);
    assert!(internal_listener(file, "listen.internal = 1", &map([])).is_err());
    let tls = "internal_tls = { cert = \"a.pem\", key = \"a.key\" }";
    let unknown = "listen.internal_host = 1\nlimits = 1\n[[function]]";
    for (text, transport) in
        [(text, Transport::Plain), (tls, Transport::Tls), (unknown, Transport::Plain)]
    {
        assert_eq!(internal_listener(file, text, &map([])).unwrap().1, transport);
    }
}

#[test]
fn a_secret_pair_is_whole_or_not_there_and_never_shown() {
    let parse_pair = |text: &str| parse(text, &map([]), &map([]));
    assert!(parse_pair("").unwrap().secret.is_none());
    let pair = "invoke.secret_id = \"AKID\"\ninvoke.secret_key = \"hunter2-hunter2-\"";
    let settings = parse_pair(pair).unwrap();
    assert_eq!(settings.secret, Some(SecretPair::new("AKID", "hunter2-hunter2-")));
    let shown = format!("{settings:?}");
    assert!(!shown.contains("AKID") && !shown.contains("hunter2"), "{shown}");
    let key = [("LONGHOLD_FUNCTION_RUNNER__INVOKE__SECRET_KEY", "hunter3-hunter3-")];
    let settings = parse(pair, &map(key), &map([])).unwrap();
    assert_eq!(settings.secret, Some(SecretPair::new("AKID", "hunter3-hunter3-")));
    let cases = [
        ("invoke.secret_id = \"AKID\"", "invoke.secret_key: is missing; set both"),
        ("invoke.secret_key = \"hunter2-hunter2-\"", "invoke.secret_id: is missing; set both"),
        (
            "invoke.secret_id = 7\ninvoke.secret_key = \"hunter2-hunter2-\"",
            "invoke.secret_id: is not a string with something in it; put it in quotes",
        ),
        (
            "invoke.secret_id = \"AKID\"\ninvoke.secret_key = \"\"",
            "invoke.secret_key: is not a string with something in it; put it in quotes",
        ),
        (
            "invoke.secret_id = \"AKID\"\ninvoke.secret_key = \"hunter2-hunter2\"",
            "invoke.secret_key: is shorter than 16 bytes; use a string of at least 16 bytes",
        ),
        (
            "invoke.secret_id = \"A/B\"\ninvoke.secret_key = \"hunter2-hunter2-\"",
            "invoke.secret_id: has characters that do not belong there; use visible ASCII without",
        ),
    ];
    for (text, words) in cases {
        let problem = parse_pair(text).unwrap_err().to_string();
        assert!(problem.contains(words), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

/// A list that is written by hand.
#[test]
fn the_list_of_keys_is_complete() {
    let keys = Settings::keys().into_iter().filter(|key| key.table == "[functions.<name>]");
    let names: BTreeSet<_> = keys.map(|key| key.name).collect();
    let of_all = ["runtime", "handler", "timeout", "memory_mb", "max_instances", "push_to"];
    let known: BTreeSet<_> =
        SubprocessKeys::NAMES.into_iter().chain(of_all).map(str::to_owned).collect();
    assert_eq!(names, known);
}
