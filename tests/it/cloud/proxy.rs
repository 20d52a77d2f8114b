//! Functions with a bootstrap of their own, which reach the names through the proxy.

use serde_json::json;

use super::{BUCKET, Cloud, PUSH};
use crate::subprocess::functions::{Functions, has};

/// Runs the shell command in the event. The runtime API is not reached through the proxy.
const CODE: &str = r#"#!/usr/bin/env bash
api="http://$SCF_RUNTIME_API:$SCF_RUNTIME_API_PORT/runtime"
curl -s -X POST -d ' ' "$api/init/ready" >/dev/null
while event=$(curl -s -f "$api/invocation/next"); do
  command=$(sed -n 's/.*"run":"\(.*\)".*/\1/p' <<<"$event")
  reply=$(bash -c "$command" 2>&1)
  curl -s -X POST -d "\"$reply\"" "$api/invocation/response" >/dev/null
done
"#;

async fn run(cloud: &Cloud, command: &str) -> String {
    run_in(&cloud.functions, command).await
}

async fn run_in(functions: &Functions, command: &str) -> String {
    assert!(!command.contains('"') && !command.contains('\\'), "{command}");
    let reply = functions.returns("bash", &json!({ "run": command })).await;
    reply.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn curl_reaches_the_clouds_names_through_the_proxy() {
    if !has("bash") {
        return;
    }
    let cloud = Cloud::start("bash", CODE, "", "").await;
    for scheme in ["http", "https"] {
        for (host, path, server, got) in [
            (BUCKET, "/a%20b?x=1", &cloud.cos, "/a%20b?x=1"),
            (PUSH, "/api-old", &cloud.pushes, "/api-chat"),
        ] {
            let command =
                format!("curl -s -d {{}} -w %{{http_code}} -o /dev/null '{scheme}://{host}{path}'");
            assert_eq!(run(&cloud, &command).await, "200", "{scheme} {host}");
            let request = server.next().await;
            assert_eq!((request.path.as_str(), request.body.as_str()), (got, "{}"));
            if host == BUCKET {
                assert_eq!(request.host, host, "{scheme}");
            }
        }
    }
    cloud.finish().await;
}

#[tokio::test]
async fn the_proxy_refuses_what_leads_nowhere_and_this_machine() {
    if !has("bash") {
        return;
    }
    let cloud = Cloud::start("bash", CODE, "", "outside = \"refuse\"").await;
    let status = |flags: &str, url: &str| {
        format!("curl -s {flags} -w '%{{http_code}} %{{http_connect}}' -o /dev/null {url}")
    };
    for (flags, url, expected) in [
        ("", "http://cvm.tencentcloudapi.com/", "403 000"),
        ("", "https://cvm.tencentcloudapi.com/", "000 403"),
        ("", "http://example.com/", "403 000"),
        ("", "https://example.com/", "000 403"),
    ] {
        assert_eq!(run(&cloud, &status(flags, url)).await, expected, "{url}");
    }
    let log = cloud.log("bash").await;
    assert!(log.contains("cvm.tencentcloudapi.com leads nowhere for function bash"), "{log}");
    assert!(log.contains("example.com leads nowhere for function bash"), "{log}");
    cloud.finish().await;
    let functions = Cloud::without_servers("bash", CODE, "").await;
    for (url, expected) in
        [(format!("http://{BUCKET}/"), "502 000"), (format!("https://{BUCKET}/"), "000 502")]
    {
        assert_eq!(run_in(&functions, &status("", &url)).await, expected, "{url}");
    }
    functions.finish().await;
}

/// It would make the connections of a function those of the runner.
#[tokio::test]
async fn the_proxy_leads_to_nothing_of_this_machine() {
    if !has("bash") {
        return;
    }
    let cloud = Cloud::start("bash", CODE, "", "").await;
    let port = cloud.cos.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.9.9.9"] {
        for flags in ["", "-p"] {
            let command = format!(
                "curl -s -g {flags} --noproxy '' -w '%{{http_code}} %{{http_connect}}' -o /dev/null \
                 http://{host}:{port}/"
            );
            let said = run(&cloud, &command).await;
            assert!(said == "403 000" || said == "000 403", "{flags} {host}: {said}");
        }
    }
    assert!(cloud.cos.is_idle().await);
    cloud.finish().await;
}

#[tokio::test]
async fn a_proxy_of_the_user_stays() {
    if !has("bash") {
        return;
    }
    let lines =
        "environment = { https_proxy = \"http://proxy.example:8080\", SSL_CERT_FILE = \"/x\" }";
    let cloud = Cloud::start("bash", CODE, lines, "").await;
    let said = run(&cloud, "echo $http_proxy,$HTTP_PROXY,$https_proxy,$SSL_CERT_FILE").await;
    assert_eq!(said, ",,http://proxy.example:8080,/x");
    cloud.finish().await;
}
