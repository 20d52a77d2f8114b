//! The files of tokens that real processes make and read, and settings with which none starts.

use std::{fs, net::Ipv4Addr, os::unix::fs::PermissionsExt, path::Path};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::{
    access::write_secret,
    client::{Client, request},
    process::{Process, run},
    soon,
    world::data_send,
};

const GATEWAY: &str = r#"
    listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }
    [[api]]
    id = "api-echo"
    path = "/echo"
    transmit = "echo"
"#;
const FUNCTIONS: &str = r#"
    listen.internal = "127.0.0.1:0"
    variables.push = "http://127.0.0.1:1"
    [functions.echo]
    runtime = "rust"
    handler = "echo"
    environment = { url = "${push}/api-echo" }
"#;

/// Default files of tokens, whatever the other tests use.
const DEFAULTS: [(&str, &str); 5] = [
    ("LONGHOLD_GATEWAY__ACCESS__SERVICE_FILE", "data/service.token"),
    ("LONGHOLD_FUNCTION_RUNNER__ACCESS__SERVICE_FILE", "data/service.token"),
    ("LONGHOLD_GATEWAY__ACCESS__OPERATOR_FILE", "data/operator.token"),
    ("LONGHOLD_FUNCTION_RUNNER__ACCESS__OPERATOR_FILE", "data/operator.token"),
    ("LONGHOLD_GATEWAY__PUSH__AUTH", "token"),
];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateway.toml"), GATEWAY).unwrap();
    fs::write(folder.path().join("functions.toml"), FUNCTIONS).unwrap();
    folder
}

fn token(folder: &Path, name: &str) -> String {
    let file = folder.join("data").join(name);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600, "{name}");
    fs::read_to_string(file).unwrap().trim_end().to_owned()
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    soon("an answer", request.send()).await.unwrap().status().as_u16()
}

/// Nobody has prepared anything.
#[tokio::test]
async fn two_processes_that_start_at_once_agree_on_the_tokens() {
    let folder = folder();
    let start = |name| Process::start(name, &[], folder.path(), &DEFAULTS);
    let (runner, gateway) = tokio::join!(start("function-runner"), start("gateway"));
    let http = reqwest::Client::new();
    let [service, operator] =
        ["service.token", "operator.token"].map(|it| token(folder.path(), it));
    let url = format!("http://{}/functions", runner.address("internal"));
    for (token, expected) in [(&service, 200), (&operator, 200), (&"x".repeat(64), 401)] {
        assert_eq!(status(http.get(&url).bearer_auth(token)).await, expected);
    }
    let url = format!("http://{}/cleanups", gateway.address("internal"));
    for (token, expected) in [(&service, 401), (&operator, 200), (&"x".repeat(64), 401)] {
        assert_eq!(status(http.get(&url).bearer_auth(token)).await, expected);
    }
    // The second one of a kind is left out.
    for address in [runner.address("internal"), gateway.address("internal")] {
        let request =
            http.get(format!("http://{address}/nothing")).bearer_auth("another-wrong-token");
        assert_eq!(status(request).await, 401);
    }
    for process in [gateway, runner] {
        process.signal(Signal::SIGTERM);
        let log = process.ended_with_log().await;
        let wrong = || log.lines().filter(|line| line.contains("request refused: a wrong token"));
        assert_eq!(wrong().count(), 1, "{log}");
        assert!(wrong().all(|line| line.contains("client.address=127.0.0.1:")), "{log}");
        assert!(wrong().all(|line| line.contains("left_out=0")), "{log}");
        assert!(!log.contains(&service) && !log.contains(&operator), "{log}");
    }
}

/// The gateway calls a runner whose token it does not have.
#[tokio::test]
async fn a_gateway_with_another_token_is_refused_and_the_log_says_why() {
    let [folder, other] = [folder(), folder()];
    let runner = Process::start("function-runner", &[], other.path(), &DEFAULTS).await;
    let url = format!("http://{}", runner.address("internal"));
    let variables = [&DEFAULTS[..], &[("LONGHOLD_GATEWAY__RUNNER__URL", &*url)]].concat();
    let gateway = Process::start("gateway", &[], folder.path(), &variables).await;
    let mut client = Client::connect(gateway.address("public"), "/echo").await.unwrap();
    client.send("hi").await;
    assert_eq!(client.closed().await, 1011);
    gateway.logged("access.service_file").await;
}

#[tokio::test]
async fn files_of_tokens_that_are_not_safe_are_refused() {
    for (name, text, mode, words) in [
        ("service.token", "a-token-that-all-can-read", 0o644, "has the permissions 644"),
        ("service.token", "hunter2", 0o600, "is shorter than 16 characters"),
        ("operator.token", "with spaces and so on", 0o600, "is not a token"),
        ("operator.token", "", 0o600, "it is empty"),
    ] {
        let folder = folder();
        fs::create_dir(folder.path().join("data")).unwrap();
        let file = folder.path().join("data").join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        for program in ["gateway", "function-runner"] {
            let exit = run(program, &[], folder.path(), &DEFAULTS).await;
            assert_eq!(exit.status.code(), Some(2), "{}", exit.stderr);
            // The key, or the variable that sets it.
            let place = format!("{}_file: data/{name}", name.trim_end_matches(".token"));
            let place = place.to_uppercase();
            assert!(exit.stderr.to_uppercase().contains(&place), "{}", exit.stderr);
            assert!(exit.stderr.contains(words), "{}", exit.stderr);
            assert!(text.is_empty() || !exit.stderr.contains(text), "{}", exit.stderr);
        }
    }
    // Its owner could change it. Only root may give a file away.
    if nix::unistd::Uid::effective().is_root() {
        let folder = folder();
        fs::create_dir(folder.path().join("data")).unwrap();
        let file = folder.path().join("data/service.token");
        write_secret(&file, "a-token-of-another-user");
        std::os::unix::fs::chown(&file, Some(12_345), None).unwrap();
        for program in ["gateway", "function-runner"] {
            let exit = run(program, &[], folder.path(), &DEFAULTS).await;
            assert_eq!(exit.status.code(), Some(2), "{}", exit.stderr);
            let words = "belongs to the user with the number 12345, who can change it";
            assert!(exit.stderr.contains(words), "{}", exit.stderr);
        }
    }
    // One file for both would let a service do what only the operator may.
    let operator = ("LONGHOLD_GATEWAY__ACCESS__OPERATOR_FILE", "data/service.token");
    let one = [&DEFAULTS[..], &[operator]].concat();
    let exit = run("gateway", &[], folder().path(), &one).await;
    assert!(exit.stderr.contains("has the same token as access.service_file"), "{}", exit.stderr);
}

#[tokio::test]
async fn settings_of_pushes_that_are_not_safe_are_refused() {
    for (lines, words) in [
        (
            "push.tokens = [{ apis = ['api-echo'], token = 'hunter2' }]",
            "push.tokens[0].token: is shorter than 16 characters",
        ),
        (
            "push.tokens = [{ apis = ['api-echoo'], token = 'hunter2-hunter2-hunter2' }]",
            "push.tokens[0].apis: \"api-echoo\" is not the id of an api; did you mean \"api-echo\"?",
        ),
        ("push.tokens = [{ apis = ['api-echo'] }]", "push.tokens[0].token: is missing"),
        (
            "push.tokens = [{ token = 'hunter2-hunter2-hunter2' }]",
            "push.tokens[0].apis: is missing",
        ),
        (
            "push.auth = 'loopback'\nlisten.internal = '0.0.0.0:0'",
            "push.auth: is \"loopback\", and listen.internal is 0.0.0.0:0, which is not on loopback",
        ),
        ("push.auth = 'none'", "push.auth: \"none\" is not valid; use \"token\" or \"loopback\""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let api = "[[api]]\nid = \"api-echo\"\npath = \"/echo\"\ntransmit = \"echo\"\n";
        let text = format!("listen.public = '127.0.0.1:0'\n{lines}\n{api}");
        fs::write(folder.path().join("gateway.toml"), text).unwrap();
        let variables = [("LONGHOLD_GATEWAY__NODE", "0")];
        let exit = run_plain("gateway", folder.path(), &variables).await;
        assert!(exit.contains(words) && !exit.contains("hunter2"), "{exit}");
    }
}

/// Without the variables that tests of other things need. Returns what a program says that does
/// not start.
async fn run_plain(name: &str, folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut command = tokio::process::Command::new(crate::support::process::binary(name));
    command.current_dir(folder).env_clear().envs(variables.iter().copied()).kill_on_drop(true);
    let output = soon("the end", command.output()).await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

/// A listener off loopback asks its callers, also those of its own machine.
#[tokio::test]
async fn a_listener_off_loopback_asks_for_tokens_unless_it_is_said_to_be_insecure() {
    let push = |gateway: &Process| {
        let port = gateway.address("internal").port();
        let url = format!("http://127.0.0.1:{port}/api-echo");
        reqwest::Client::new().post(url).body(data_send("nobody", "hi").to_string())
    };
    let list = |gateway: &Process| {
        let port = gateway.address("internal").port();
        reqwest::Client::new().get(format!("http://127.0.0.1:{port}/cleanups"))
    };
    let internal = ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", "0.0.0.0:0");
    let folder = folder();
    let variables = [&DEFAULTS[..], &[internal]].concat();
    let gateway = Process::start("gateway", &[], folder.path(), &variables).await;
    assert_eq!(status(push(&gateway)).await, 401);
    assert_eq!(status(list(&gateway)).await, 401);
    assert_eq!(gateway.stopped().await.code(), Some(0));

    let insecure = ("LONGHOLD_GATEWAY__ACCESS__INSECURE", "true");
    let variables = [&DEFAULTS[..], &[internal, insecure]].concat();
    let gateway = Process::start("gateway", &[], folder.path(), &variables).await;
    gateway.logged("access.insecure is set").await;
    assert_eq!(status(push(&gateway)).await, 200);
    assert_eq!(status(list(&gateway)).await, 200);
}

/// A gateway for a public page is meant to be.
#[tokio::test]
async fn the_public_listener_may_be_open_to_all_machines_without_auth() {
    let folder = folder();
    let public = ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", "0.0.0.0:0");
    let variables = [&DEFAULTS[..], &[public]].concat();
    let gateway = Process::start("gateway", &[], folder.path(), &variables).await;
    let address = gateway.address("public");
    assert!(address.ip().is_unspecified(), "{address}");
    let address = (Ipv4Addr::LOCALHOST, address.port()).into();
    let client = Client::connect_with(request(address, "/echo")).await;
    assert_eq!(client.unwrap().response.status(), 101);
    // The internal listener is as it was.
    let internal = gateway.address("internal");
    assert!(internal.ip().is_loopback(), "{internal}");
    let list = reqwest::Client::new().get(format!("http://{internal}/cleanups"));
    assert_eq!(status(list).await, 401);
    assert_eq!(gateway.stopped().await.code(), Some(0));
}

#[tokio::test]
async fn a_runner_off_loopback_asks_for_tokens_unless_it_is_said_to_be_insecure() {
    let http = reqwest::Client::new();
    let url = |runner: &Process, path: &str| {
        format!("http://127.0.0.1:{}{path}", runner.address("internal").port())
    };
    let requests = |runner: &Process| {
        [
            http.get(url(runner, "/functions")),
            http.get(url(runner, "/functions/echo/logs")),
            // Not an event that the echo takes: a 400 of the function shows that it was reached.
            http.post(url(runner, "/functions/echo/invocations")).body("{}"),
        ]
    };
    let invoke = |runner: &Process| {
        let body = r#"{"FunctionName":"echo"}"#;
        http.post(url(runner, "/")).header("x-tc-action", "Invoke").body(body).send()
    };
    let internal = ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "0.0.0.0:0");
    let insecure = ("LONGHOLD_FUNCTION_RUNNER__ACCESS__INSECURE", "true");
    // Nobody calls a runner that the test stops.
    let no_delay = ("LONGHOLD_FUNCTION_RUNNER__DRAIN__DELAY", "0s");
    let folder = folder();
    for (more, statuses, said) in [
        (&[internal][..], [401, 401, 401], "AuthFailure.SecretIdNotFound"),
        (&[internal, insecure], [200, 200, 400], "FunctionRequestId"),
    ] {
        let variables = [&DEFAULTS[..], &[no_delay], more].concat();
        let runner = Process::start("function-runner", &[], folder.path(), &variables).await;
        for (request, expected) in requests(&runner).into_iter().zip(statuses) {
            assert_eq!(status(request).await, expected, "{more:?}");
        }
        let answer = soon("an answer", invoke(&runner)).await.unwrap().text().await.unwrap();
        assert!(answer.contains(said), "{more:?}: {answer}");
        runner.signal(Signal::SIGTERM);
        let log = runner.ended_with_log().await;
        assert_eq!(log.contains("access.insecure is set"), more.contains(&insecure), "{log}");
    }
}

/// `longhold` trusts its machine only if nobody else reaches its listeners.
#[tokio::test]
async fn longhold_asks_for_tokens_as_soon_as_it_is_reached_from_afar() {
    let folder = folder();
    let push = |longhold: &Process, token: &str| {
        let url = format!("http://127.0.0.1:{}/api-echo", longhold.address("internal").port());
        let body = data_send("nobody", "hi").to_string();
        let request = reqwest::Client::new().post(url).body(body);
        if token.is_empty() { request } else { request.bearer_auth(token) }
    };
    let invoke = |longhold: &Process| {
        let port = longhold.address("function_runner").port();
        let request = reqwest::Client::new().post(format!("http://127.0.0.1:{port}/"));
        request.header("x-tc-action", "Invoke").body(r#"{"FunctionName":"echo"}"#)
    };
    const REFUSED: &str = "AuthFailure.SecretIdNotFound";
    for (variable, is_own) in [
        (("LONGHOLD_GATEWAY__NODE", "0"), true),
        (("LONGHOLD_GATEWAY__LISTEN__INTERNAL", "0.0.0.0:0"), false),
        (("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "0.0.0.0:0"), false),
        (("LONGHOLD_GATEWAY__PUSH__AUTH", "token"), false),
    ] {
        let variables = [&DEFAULTS[..4], &[variable]].concat();
        let longhold = Process::start("longhold", &[], folder.path(), &variables).await;
        assert_eq!(
            status(push(&longhold, "")).await,
            if is_own { 200 } else { 401 },
            "{variable:?}"
        );
        assert_eq!(status(push(&longhold, &token(folder.path(), "operator.token"))).await, 200);
        assert_eq!(status(push(&longhold, "a-wrong-token-of-somebody")).await, 401);
        let said = soon("an answer", invoke(&longhold).send()).await.unwrap();
        let said = said.text().await.unwrap();
        assert_eq!(said.contains(REFUSED), !is_own, "{variable:?}: {said}");
        assert_eq!(longhold.log().contains("push.auth is \"loopback\""), is_own, "{variable:?}");
        assert_eq!(longhold.stopped().await.code(), Some(0));
    }
    // No file has the token of its services.
    assert!(!folder.path().join("data/service.token").exists());
}
