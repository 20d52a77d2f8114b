//! Both services as processes that call each other over TLS, and are asked whether they are ready.

use super::{authority, table};
use crate::support::{
    client::Client,
    process::{Process, run},
    soon,
};

/// The echo, over TLS from the gateway to the function-runner.
#[tokio::test]
async fn gateway_and_runner_call_each_other_over_tls_and_can_be_checked() {
    let authority = authority();
    authority.issue("own", &["gateway"]);
    let path = |name: &str| authority.path(name);
    let outbound = format!(
        "[outbound_tls]\nca = {:?}\ncert = {:?}\nkey = {:?}\n",
        path("ca.pem"),
        path("own.pem"),
        path("own.key")
    );
    let internal = table(&authority, "ca.pem");
    let functions = format!(
        "listen = {{ internal = \"127.0.0.1:0\" }}\n{internal}\n\
         [functions.echo]\nruntime = \"rust\"\nhandler = \"echo\"\n\
         environment = {{ url = \"http://127.0.0.1:9/x\" }}\n"
    );
    authority.write("functions.toml", &functions);
    let folder = authority.path("");
    let runner = Process::start("function-runner", &[], &folder, &[]).await;
    let runner_address = runner.address("internal");
    let settings = format!(
        "listen = {{ public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }}\n\
         runner = {{ url = \"https://{runner_address}\" }}\n{outbound}{internal}\n\
         [[api]]\nid = \"x\"\npath = \"/x\"\nregister = \"echo\"\ntransmit = \"echo\"\n"
    );
    authority.write("gateway.toml", &settings);
    let gateway = Process::start("gateway", &[], &folder, &[]).await;
    let internal = gateway.address("internal").to_string();
    for (name, key, address) in [
        ("gateway", "LONGHOLD_GATEWAY__LISTEN__INTERNAL", internal),
        (
            "function-runner",
            "LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL",
            runner_address.to_string(),
        ),
    ] {
        let exit = run(name, &["check"], &folder, &[(key, &address)]).await;
        assert!(exit.status.success(), "{name}: {}", exit.stderr);
    }
    // The echo cannot be asked about a client: that it answers so shows that it was reached.
    let refused = soon("an answer", Client::connect(gateway.address("public"), "/x")).await;
    let refused = refused.map(drop).unwrap_err();
    let text = String::from_utf8_lossy(refused.body());
    assert!(!text.contains("cannot be reached"), "{text}");
}
