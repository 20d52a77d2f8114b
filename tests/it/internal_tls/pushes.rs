//! Pushes to a gateway that wants certificates, of a function in Rust and of a child process. Both
//! services are processes, and each calls the other over TLS.

use super::{authority, table};
use crate::{
    subprocess::functions::{has, write},
    support::{client::Client, process::Process, tls::Authority},
};

/// A transmit function that sends each message back, as the echo in Rust does.
const PYTHON: &str = r#"
import json, os, urllib.request

def main_handler(event, context):
    push = {"websocket": {**event["websocket"], "action": "data send"}}
    urllib.request.urlopen(os.environ["url"], json.dumps(push).encode()).read()
"#;

/// The APIs, each with the name of its function.
const APIS: [&str; 2] = ["echo", "python"];

/// Both services, whose listeners want certificates of one authority.
struct Services {
    runner: Process,
    gateway: Process,
}

impl Services {
    /// The runner's pushes have the files `<own>.pem` and `<own>.key`, if there are some.
    async fn start(authority: &Authority, own: Option<&str>) -> Self {
        authority.issue("gateway", &["gateway"]);
        let folder = authority.path("");
        write(&folder, "python/index.py", PYTHON);
        let internal = table(authority, "ca.pem");
        let functions = |push: &str| {
            format!(
                "listen = {{ internal = \"127.0.0.1:0\" }}\nvariables = {{ push = \"{push}\" }}\n\
                 {internal}\n{}\n\
                 [functions.echo]\nruntime = \"rust\"\nhandler = \"echo\"\n\
                 environment = {{ url = \"${{push}}/echo\" }}\n\
                 [functions.python]\nruntime = \"python3\"\nhandler = \"index.main_handler\"\n\
                 code = \"python\"\nenvironment = {{ url = \"${{push}}/python\" }}\ntimeout = \"60s\"\n",
                outbound(authority, own)
            )
        };
        // The address of the gateway is not known yet.
        authority.write("functions.toml", &functions("https://127.0.0.1:9"));
        let runner = Process::start("function-runner", &[], &folder, &[]).await;
        let apis = APIS.map(|name| {
            format!(
                "[[api]]\nid = \"{name}\"\npath = \"/{name}\"\ntransmit = \"{name}\"\n\
                 timeout = \"60s\"\n"
            )
        });
        let settings = format!(
            "listen = {{ public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }}\n\
             runner = {{ url = \"https://{}\" }}\n{}\n{internal}\n{}",
            runner.address("internal"),
            outbound(authority, Some("gateway")),
            apis.concat(),
        );
        authority.write("gateway.toml", &settings);
        let gateway = Process::start("gateway", &[], &folder, &[]).await;
        let push = format!("https://{}", gateway.address("internal"));
        authority.write("functions.toml", &functions(&push));
        runner.logged("functions reloaded").await;
        Self { runner, gateway }
    }

    async fn connect(&self, api: &str) -> Client {
        Client::connect(self.gateway.address("public"), &format!("/{api}")).await.unwrap()
    }
}

/// `[outbound_tls]` with these files of `authority`.
fn outbound(authority: &Authority, own: Option<&str>) -> String {
    let line = |key: &str, file: String| format!("{key} = {:?}\n", authority.path(&file));
    let own =
        own.map(|own| line("cert", format!("{own}.pem")) + &line("key", format!("{own}.key")));
    format!("[outbound_tls]\n{}{}", line("ca", "ca.pem".to_owned()), own.unwrap_or_default())
}

#[tokio::test]
async fn messages_and_pushes_go_over_tls_with_certificates_in_both_directions() {
    if !has("python") {
        return;
    }
    let authority = authority();
    authority.issue("runner", &["runner"]);
    let services = Services::start(&authority, Some("runner")).await;
    for api in APIS {
        let mut client = services.connect(api).await;
        client.send(api).await;
        assert_eq!(client.receive_text().await, api);
    }
}

#[tokio::test]
async fn a_push_without_a_certificate_is_refused_and_the_log_says_what_is_missing() {
    if !has("python") {
        return;
    }
    let services = Services::start(&authority(), None).await;
    for (api, line) in [
        ("python", "push of function python to python failed with errNo 403: the gateway wants a "),
        ("echo", "was refused with HTTP 403: the gateway wants a client certificate"),
    ] {
        let mut client = services.connect(api).await;
        client.send("hello").await;
        services.runner.logged(line).await;
    }
    services.gateway.logged("a client without a certificate was refused").await;
}

/// First the runner shows the certificate of an authority that the gateway does not know.
#[tokio::test]
async fn pushes_without_the_right_certificate_are_refused_until_it_is_exchanged() {
    if !has("python") {
        return;
    }
    let (authority, other) = (authority(), authority());
    authority.issue("right", &["runner"]);
    other.issue("wrong", &["runner"]);
    for ending in ["pem", "key"] {
        authority.write(&format!("wrong.{ending}"), &other.read(&format!("wrong.{ending}")));
        authority.link(&format!("live.{ending}"), &format!("wrong.{ending}"));
    }
    let services = Services::start(&authority, Some("live")).await;
    let mut clients = Vec::new();
    for (api, line) in [
        ("python", "push of function python to python failed with errNo 50"),
        ("echo", "got no answer"),
    ] {
        let mut client = services.connect(api).await;
        client.send("lost").await;
        services.runner.logged(line).await;
        clients.push(client);
    }
    let line = "a client with a certificate that is not good here was refused";
    services.gateway.logged(line).await;
    for ending in ["key", "pem"] {
        authority.link(&format!("live.{ending}"), &format!("right.{ending}"));
    }
    services.runner.logged("new calls show the certificate of now").await;
    for client in &mut clients {
        client.send("hello").await;
        assert_eq!(client.receive_text().await, "hello");
    }
}
