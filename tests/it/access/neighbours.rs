//! Another user of the machine listens at the address of a service: what it gets of the other one.

mod thief;

use std::net::{Ipv6Addr, SocketAddr, TcpListener};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use self::thief::{Thief, nobody};
use crate::{
    subprocess::functions::{has, write},
    support::{
        access::operator, client::Client, machine::is_root, process::Process, program::own_address,
        soon, world::data_send,
    },
};

/// A transmit function that sends each message back, as the echo in Rust does.
const PYTHON: &str = r#"
import json, os, urllib.request

def main_handler(event, context):
    push = {"websocket": {**event["websocket"], "action": "data send"}}
    urllib.request.urlopen(os.environ["url"], json.dumps(push).encode()).read()
"#;

/// The log line of a service that sends nothing.
const REFUSED: &str = "nothing is sent to this address";

/// The settings of two services, which can be started again at the same addresses.
struct Services {
    folder: TempDir,
    runner: SocketAddr,
    gateway: SocketAddr,
}

impl Services {
    /// `access` is more of the gateway's settings.
    fn new(runner: SocketAddr, access: &str) -> Self {
        let (folder, gateway) = (tempfile::tempdir().unwrap(), own_address());
        let settings = format!(
            r#"
            listen = {{ public = "127.0.0.1:0", internal = "{gateway}" }}
            runner = {{ url = "http://{runner}" }}
            {access}
            [[api]]
            id = "echo"
            path = "/echo"
            transmit = "echo"
            timeout = "60s"
            "#
        );
        write(folder.path(), "gateway.toml", &settings);
        write(folder.path(), "python/index.py", PYTHON);
        let settings = format!(
            r#"
            listen.internal = "{runner}"
            variables.push = "http://{gateway}"
            [functions.echo]
            runtime = "rust"
            handler = "echo"
            environment = {{ url = "${{push}}/echo" }}
            [functions.python]
            runtime = "python3"
            handler = "index.main_handler"
            code = "python"
            environment = {{ url = "${{push}}/echo" }}
            timeout = "60s"
            "#
        );
        write(folder.path(), "functions.toml", &settings);
        Self { folder, runner, gateway }
    }

    async fn start(&self, name: &str) -> Process {
        Process::start(name, &[], self.folder.path(), &[]).await
    }
}

async fn end(process: Process) {
    process.signal(Signal::SIGTERM);
    assert_eq!(process.ended().await.code(), Some(0));
}

/// An address of the runner for each version of IP that this machine has.
fn runner_addresses() -> Vec<SocketAddr> {
    let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0));
    if v6.is_err() {
        skipped::because("this machine has no ::1");
    }
    let v6 = v6.ok().map(|probe| probe.local_addr().unwrap());
    [own_address()].into_iter().chain(v6).collect()
}

/// The one line about `address` says whose it is.
fn check_log(process: &Process, address: SocketAddr) {
    let log = process.log();
    let line = log.lines().find(|line| line.contains(REFUSED)).unwrap();
    for piece in [format!("server.address={address}"), format!("process.user={}", nobody())] {
        assert!(line.contains(&piece), "{piece}: {line}");
    }
    assert!(line.contains("access.service_users"), "{line}");
}

/// The runner is away for a moment. Its events wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_at_the_address_of_the_runner_gets_nothing() {
    if !is_root() {
        return;
    }
    for address in runner_addresses() {
        let services = Services::new(address, "");
        let (gateway, runner) =
            (services.start("gateway").await, services.start("function-runner").await);
        let mut client = Client::connect(gateway.address("public"), "/echo").await.unwrap();
        client.send("1").await;
        assert_eq!(client.receive_text().await, "1");
        end(runner).await;
        let thief = Thief::listen(address).await;
        client.send("2").await;
        // The thief has accepted none of these.
        gateway.logged(REFUSED).await;
        for _ in 0..3 {
            assert_eq!(thief.next().await, "");
        }
        check_log(&gateway, address);
        drop(thief);
        let runner = services.start("function-runner").await;
        assert_eq!(client.receive_text().await, "2");
        client.send("3").await;
        assert_eq!(client.receive_text().await, "3");
        client.close(1000.into()).await;
        end(gateway).await;
        end(runner).await;
    }
}

/// The gateway is away for a moment. Pushes of a function in Rust and of a child process fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_at_the_address_of_the_gateway_gets_no_push() {
    if !is_root() {
        return;
    }
    let services = Services::new(own_address(), "");
    let runner = services.start("function-runner").await;
    let thief = Thief::listen(services.gateway).await;
    let functions = ["echo", "python"];
    for function in functions.into_iter().filter(|function| has(function)) {
        let url = format!("http://{}/functions/{function}/invocations", services.runner);
        let event = data_send("0123456789abcdefghijklmno=", "hunter2").to_string();
        let invoked = soon("an answer", operator().post(url).body(event).send());
        let (invoked, got) = tokio::join!(invoked, thief.next());
        assert_eq!(got, "", "{function}");
        let text = invoked.unwrap().text().await.unwrap();
        assert!(!text.is_empty() && !text.contains("\"errNo\":0"), "{function}: {text}");
    }
    runner.logged(REFUSED).await;
    check_log(&runner, services.gateway);
    drop(thief);
    let gateway = services.start("gateway").await;
    let mut client = Client::connect(gateway.address("public"), "/echo").await.unwrap();
    client.send("1").await;
    assert_eq!(client.receive_text().await, "1");
    client.close(1000.into()).await;
    end(gateway).await;
    end(runner).await;
}

/// By its name or its number. Here the runner is one of that user.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_of_a_user_that_the_settings_name_is_called() {
    if !is_root() {
        return;
    }
    let number = nobody();
    for user in ["\"nobody\"", &number.to_string(), &format!("\"{number}\"")] {
        let services = Services::new(own_address(), &format!("access.service_users = [{user}]"));
        let runner = Thief::listen(services.runner).await;
        let gateway = services.start("gateway").await;
        let mut client = Client::connect(gateway.address("public"), "/echo").await.unwrap();
        client.send("hi").await;
        // The gateway first asks for the functions.
        let mut request = String::new();
        while !request.starts_with("POST /functions/echo/invocations") {
            request = runner.answer().await;
        }
        assert!(request.contains("authorization: Bearer "), "{request}");
        assert!(!gateway.log().contains(REFUSED));
        drop((client, runner));
        end(gateway).await;
    }
}

/// A name may be one of another machine, or wrong.
#[tokio::test]
async fn a_user_that_this_machine_does_not_have_is_refused() {
    for (name, list, words) in [
        ("gateway", "[\"no-such-user\"]", "there is no user \"no-such-user\" on this machine"),
        ("function-runner", "[\"\"]", "use a list of at most 20 names or numbers of users"),
    ] {
        let services = Services::new(own_address(), "");
        let key =
            format!("LONGHOLD_{}__ACCESS__SERVICE_USERS", name.replace('-', "_").to_uppercase());
        let started = Process::try_start(name, &[], services.folder.path(), &[(&key, list)]).await;
        let Err(exit) = started else { panic!("{name} has started") };
        assert_eq!(exit.status.code(), Some(2));
        assert!(exit.stderr.contains(words), "{}", exit.stderr);
    }
}
