//! The real binaries: ready line, bad settings, signals, health, and the chat with two processes.

use std::{fs, path::Path};

use nix::sys::signal::Signal;

use crate::support::{
    client::Client,
    process::{Process, run},
    soon,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A folder with both settings files of the repository, with ports that the system chooses.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["gateway.toml", "functions.toml"] {
        let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("dir ="));
        let free = |line: &str| {
            if line.starts_with("public") || line.starts_with("internal") {
                line.replace(":9000", ":0").replace(":9001", ":0").replace(":9002", ":0")
            } else {
                line.to_owned()
            }
        };
        let text: Vec<_> = lines.map(free).collect();
        fs::write(folder.path().join(file), text.join("\n")).unwrap();
    }
    folder
}

async fn chat(longhold: &Process) {
    let address = longhold.address("public");
    let mut anna = Client::connect(address, "/release/chat").await.unwrap();
    let mut ben = Client::connect(address, "/release/chat").await.unwrap();
    anna.send("hello").await;
    assert_eq!(ben.receive_text().await, "hello(===Online people:2===)");
}

#[tokio::test]
async fn longhold_with_its_files_serves_the_chat_and_drains_on_sigterm() {
    let folder = folder();
    let longhold = Process::start("longhold", &[], folder.path(), &[]).await;
    assert_eq!(longhold.ready()["ready"], true);
    chat(&longhold).await;
    let mut client = Client::connect(longhold.address("public"), "/release/echo").await.unwrap();
    client.send("hello").await;
    assert_eq!(client.receive_text().await, "hello");
    // Its runner waits for no other caller.
    let url = format!("http://{}/~/drain", longhold.address("function_runner"));
    let told = crate::support::access::operator().post(url).send().await.unwrap();
    assert_eq!(told.status(), 404);
    longhold.signal(Signal::SIGTERM);
    assert_eq!(client.closed().await, 1001);
    assert_eq!(longhold.ended().await.code(), Some(0));
    // The roster is empty.
    assert_eq!(fs::read_dir(folder.path().join("data/roster")).unwrap().count(), 0);
}

#[tokio::test]
async fn longhold_without_files_serves_the_built_in_chat_and_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", "127.0.0.1:0"),
        ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", "127.0.0.1:0"),
        ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "127.0.0.1:0"),
    ];
    let longhold = Process::start("longhold", &[], folder.path(), &variables).await;
    chat(&longhold).await;
    let url = format!("http://{}", longhold.address("public"));
    for (path, file) in [("/", "index.html"), ("/chat.js", "chat.js"), ("/wire.js", "wire.js")] {
        let page = crate::support::access::get(format!("{url}{path}"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert_eq!(page, fs::read_to_string(Path::new(ROOT).join("web").join(file)).unwrap());
    }
    longhold.signal(Signal::SIGINT);
    assert_eq!(longhold.ended().await.code(), Some(0));
}

#[tokio::test]
async fn gateway_and_function_runner_serve_the_chat_as_two_processes() {
    let folder = folder();
    let gateway = |runner: String| {
        let variables = [("LONGHOLD_GATEWAY__RUNNER__URL".to_owned(), runner)];
        let folder = folder.path().to_owned();
        async move {
            let variables: Vec<_> =
                variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            Process::start("gateway", &["--config", "gateway.toml"], &folder, &variables).await
        }
    };
    // Each process must know the other's address, so the runner's port is chosen first.
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let runner_address = probe.local_addr().unwrap().to_string();
    drop(probe);
    let gateway = gateway(format!("http://{runner_address}")).await;
    let push = format!("http://{}", gateway.address("internal"));
    let variables = [
        ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", runner_address.as_str()),
        ("LONGHOLD_FUNCTION_RUNNER__VARIABLES__PUSH", push.as_str()),
    ];
    let runner = Process::start(
        "function-runner",
        &["--config", "functions.toml"],
        folder.path(),
        &variables,
    )
    .await;
    assert_eq!(runner.address("internal").to_string(), runner_address);
    chat(&gateway).await;

    assert_eq!(gateway.stopped().await.code(), Some(0));
    assert_eq!(runner.stopped().await.code(), Some(0));
    assert_eq!(fs::read_dir(folder.path().join("data/roster")).unwrap().count(), 0);
}

/// Without the second signal, the drain would wait for a register function that never answers.
#[tokio::test]
async fn a_second_signal_ends_a_gateway_that_drains_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        [[api]]
        id = "api-test"
        path = "/"
        register = "http://{silent}/"
        transmit = "http://{silent}/"
        "#,
        silent = silent.local_addr().unwrap()
    );
    fs::write(folder.path().join("gateway.toml"), settings).unwrap();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    let public = gateway.address("public");
    let client = tokio::spawn(async move { Client::connect(public, "/").await.is_ok() });
    let _called = soon("the call", silent.accept()).await.unwrap();
    gateway.signal(Signal::SIGTERM);
    let ready = format!("http://{}/readyz", gateway.address("internal"));
    soon("the drain", async {
        while crate::support::access::get(&ready).await.unwrap().status() != 503 {}
    })
    .await;
    assert_eq!(gateway.stopped().await.code(), Some(1));
    client.abort();
}

#[tokio::test]
async fn the_command_check_says_whether_a_process_is_ready() {
    let folder = folder();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    let address = gateway.address("internal").to_string();
    let variables = [("LONGHOLD_GATEWAY__LISTEN__INTERNAL", address.as_str())];
    let check = run("gateway", &["check"], folder.path(), &variables).await;
    assert_eq!(check.status.code(), Some(0), "{}", check.stderr);
    gateway.stopped().await;
    let check = run("gateway", &["check"], folder.path(), &variables).await;
    assert_eq!(check.status.code(), Some(1));
    assert!(check.stderr.contains(&address), "{}", check.stderr);
}

/// With less, no message of the largest size could ever be received.
#[tokio::test]
async fn memory_for_messages_that_is_too_small_is_refused() {
    let folder = folder();
    let less = [("LONGHOLD_GATEWAY__CONNECTION__RECEIVE_MEMORY", "4194303")];
    let exit = run("gateway", &[], folder.path(), &less).await;
    assert_eq!(exit.status.code(), Some(2), "{}", exit.stderr);
    let expected =
        "is 4194303; api \"api-echo\" with its max_message needs 4194304, 4 times as much";
    assert!(exit.stderr.contains(expected), "{}", exit.stderr);
}

#[tokio::test]
async fn all_bad_settings_are_reported_at_once_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = r#"
        nonsense = 1
        [listen]
        public = "nowhere"
        [[api]]
        id = "a b"
        path = "chat"
        timeout = "soon"
    "#;
    let functions = r#"
        [functions.a]
        runtime = "cobol"
        handler = "transmit"
        timeout = "1h"
    "#;
    fs::write(folder.path().join("gateway.toml"), gateway).unwrap();
    fs::write(folder.path().join("functions.toml"), functions).unwrap();
    let variables = [("LONGHOLD_GATEWAY__DRAIN__TIMEOUT", "never")];
    let of_gateway = [
        "gateway.toml: nonsense",
        "listen.public",
        "api[0].id",
        "api[0].path",
        "api[0].timeout",
        "api[0].transmit",
        "LONGHOLD_GATEWAY__DRAIN__TIMEOUT",
    ];
    let of_functions = ["functions.toml: functions.a.runtime", "functions.a.timeout"];
    let both = [&of_gateway[..], &of_functions[..]].concat();
    for (name, expected) in
        [("gateway", &of_gateway[..]), ("function-runner", &of_functions[..]), ("longhold", &both)]
    {
        let ended = run(name, &[], folder.path(), &variables).await;
        assert_eq!(ended.status.code(), Some(2), "{name}: {}", ended.stderr);
        for key in expected {
            assert!(ended.stderr.contains(key), "{name}: {key} is not in {}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn a_missing_file_is_named_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments, file) in [
        ("gateway", &["--config", "none.toml"][..], "none.toml"),
        ("function-runner", &["--config", "none.toml"], "none.toml"),
        ("longhold", &["--config-dir", "none"], "none/gateway.toml"),
    ] {
        let ended = run(name, arguments, folder.path(), &[]).await;
        assert_eq!(ended.status.code(), Some(2), "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains(file), "{name}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn an_address_in_use_is_named_with_exit_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = folder();
    let variables = [("LONGHOLD_GATEWAY__LISTEN__PUBLIC", address.as_str())];
    for name in ["gateway", "longhold"] {
        let ended = run(name, &[], folder.path(), &variables).await;
        assert_eq!(ended.status.code(), Some(1), "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains(&address), "{name}: {}", ended.stderr);
    }
}
