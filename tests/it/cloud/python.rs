//! Functions in Python.

use serde_json::json;

use super::{BUCKET, Cloud, PUSH, libraries};
use crate::subprocess::functions::has;

const CODE: &str = include_str!("index.py");

async fn check(ways: &[&str], interpreter: &str) {
    let cloud = Cloud::start("python", CODE, interpreter, "").await;
    for by in ways {
        cloud.check("python", by, &["http", "https"]).await;
    }
    cloud.finish().await;
}

#[tokio::test]
async fn the_standard_library_reaches_the_clouds_names() {
    if has("python") {
        check(&["urllib", "http_client", "socket"], "").await;
    }
}

#[tokio::test]
async fn libraries_reach_the_clouds_names() {
    let Some(interpreter) = libraries::python() else { return };
    check(&["requests", "httpx", "httpx_async", "aiohttp"], &interpreter).await;
}

#[tokio::test]
async fn the_object_stores_library_reaches_the_store_with_the_pair_of_the_role() {
    let Some(interpreter) = libraries::python() else { return };
    let lines = format!("{interpreter}\nrole = \"chat\"");
    let cloud = Cloud::start("python", CODE, &lines, "").await;
    cloud.check_cos("python", "cos_sdk").await;
    cloud.finish().await;
}

/// They replace functions and classes that are led here.
#[tokio::test]
async fn the_clouds_names_are_reached_beside_libraries_that_mock_servers() {
    let Some(interpreter) = libraries::python() else { return };
    let cloud = Cloud::start("python", CODE, &interpreter, "").await;
    for by in
        ["requests_beside_responses", "requests_beside_requests_mock", "urllib_beside_httpretty"]
    {
        cloud.check("python", by, &["http"]).await;
    }
    cloud.finish().await;
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_answered_at_once_and_named_in_the_log() {
    if !has("python") {
        return;
    }
    let functions = Cloud::without_servers("python", CODE, "").await;
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{BUCKET}/");
        let event = json!({ "by": "urllib", "url": url, "body": "" });
        let answer = functions.returns("python", &event).await;
        assert_eq!(answer[0], 502, "{answer}");
        let text = format!("{BUCKET} leads nowhere: set cloud.cos in functions.toml");
        assert!(answer[1].as_str().unwrap().contains(&text), "{answer}");
    }
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    let line = format!("{BUCKET} leads nowhere for function python: set cloud.cos");
    assert_eq!(log.matches(&line).count(), 1, "{log}");
    functions.finish().await;
}

#[tokio::test]
async fn names_outside_are_refused_at_once_where_the_settings_say_so() {
    if !has("python") {
        return;
    }
    let cloud = Cloud::start("python", CODE, "", "outside = \"refuse\"").await;
    // Other services of the cloud are outside too: only names that have a place here lead here.
    for name in ["example.com", "cvm.tencentcloudapi.com"] {
        for by in ["urllib", "http_client", "socket"] {
            let event = json!({ "by": by, "url": format!("http://{name}/"), "body": "" });
            let answer = cloud.returns("python", &event).await;
            assert!(
                ["URLError", "gaierror"].map(Into::into).contains(&answer[0]),
                "{by}: {answer}"
            );
            assert!(answer[1].as_str().unwrap().contains("Name or service not known"), "{answer}");
        }
    }
    let log = cloud.log("python").await;
    assert_eq!(log.matches("example.com is refused: set cloud.outside").count(), 1, "{log}");
    // Addresses, and names of this machine, are not names outside.
    let own = format!("socket.create_connection(('localhost', {})) and 1", cloud.cos.port());
    let answer = cloud.returns("python", &json!({ "eval": own })).await;
    assert_eq!(answer, 1);
    cloud.check("python", "urllib", &["http"]).await;
    cloud.finish().await;
}

/// It may not be there, such as where there is no way to the cloud.
#[tokio::test]
async fn a_name_of_the_cloud_that_is_left_as_it_is_is_in_the_log_once() {
    if !has("python") {
        return;
    }
    // No resolver is asked: only an address would be taken.
    const NUMBER: &str = "
def by_number(url, body):
    return socket.getaddrinfo(urlsplit(url).hostname, 80, flags=socket.AI_NUMERICHOST)
";
    let names = "names = { \"sms.tencentcloudapi.com\" = \"pass\" }";
    let cloud = Cloud::start("python", &format!("{CODE}{NUMBER}"), "", names).await;
    for name in ["cvm.tencentcloudapi.com", "CVM.tencentcloudapi.com", "sms.tencentcloudapi.com"] {
        let event = json!({ "by": "number", "url": format!("http://{name}/"), "body": "" });
        assert_eq!(cloud.returns("python", &event).await[0], "gaierror", "{name}");
    }
    let event = json!({ "by": "number", "url": "http://example.invalid/", "body": "" });
    assert_eq!(cloud.returns("python", &event).await[0], "gaierror");
    let log = cloud.log("python").await;
    let line =
        "cvm.tencentcloudapi.com is a name of the cloud that is left as it is: set cloud.names";
    assert_eq!((log.matches(line).count(), log.matches("left as it is").count()), (1, 1), "{log}");
    cloud.finish().await;
}

#[tokio::test]
async fn a_name_can_have_a_place_of_its_own() {
    if !has("python") {
        return;
    }
    let names =
        "names = { \"sms.tencentcloudapi.com\" = \"pass\", \"Bad.example.com\" = \"refuse\" }";
    let cloud = Cloud::start("python", CODE, "", names).await;
    let look = |name: &str| format!("[__import__('socket').gethostbyname({name:?})]");
    let event = json!({ "by": "http_client", "url": "http://bad.example.com/", "body": "" });
    assert_eq!(cloud.returns("python", &event).await[0], "gaierror");
    let led = cloud.returns("python", &json!({ "eval": look(BUCKET) })).await;
    assert_eq!(led, json!(["127.83.67.70"]));
    cloud.finish().await;
}

#[tokio::test]
async fn the_host_of_pushes_needs_no_port() {
    if !has("python") {
        return;
    }
    let lines = "environment = { HOST = \"${push_host}\" }";
    let cloud = Cloud::start("python", CODE, lines, "").await;
    let host = cloud.returns("python", &json!({ "eval": "os.environ['HOST']" })).await;
    let url = format!("http://{}/api-chat", host.as_str().unwrap());
    let event = json!({ "by": "http_client", "url": url, "body": "{}" });
    assert_eq!(cloud.returns("python", &event).await[0], 200);
    let got = cloud.pushes.next().await;
    assert_eq!(got.path, "/api-chat");
    assert_eq!(got.headers["longhold-function"], "python");
    cloud.finish().await;
}

#[tokio::test]
async fn ids_of_apis_in_the_cloud_are_mapped() {
    if !has("python") {
        return;
    }
    let apis = "apis = { \"api-old\" = \"api-new\" }";
    let cloud = Cloud::start("python", CODE, "", apis).await;
    for (id, own) in [("api-old", "api-new"), ("api-other", "api-chat"), ("api-chat", "api-chat")] {
        let url = format!("http://{PUSH}/{id}/");
        let event = json!({ "by": "http_client", "url": url, "body": "{}" });
        assert_eq!(cloud.returns("python", &event).await[0], 200);
        assert_eq!(cloud.pushes.next().await.path, format!("/{own}"), "{id}");
    }
    let event = json!({ "by": "page", "url": format!("http://{PUSH}/api-old"), "body": "{}" });
    assert_eq!(cloud.returns("python", &event).await[0], 403);
    assert!(cloud.pushes.is_idle().await);
    cloud.finish().await;
}

/// Nothing changes for functions whose settings have no `[cloud]`, and for what a function starts.
#[tokio::test]
async fn no_other_process_is_changed() {
    if !has("python") {
        return;
    }
    let cloud = Cloud::start("python", CODE, "", "").await;
    let names = "[key for key in os.environ if 'proxy' in key.lower() or 'LONGHOLD' in key]";
    assert_eq!(cloud.returns("python", &json!({ "eval": names })).await, json!([]));
    let event = json!({ "by": "child", "url": format!("http://{BUCKET}/"), "body": "" });
    let answer = cloud.returns("python", &event).await;
    assert_ne!(answer[0], 0, "{answer}");
    assert!(cloud.cos.is_idle().await);
    cloud.finish().await;
}
