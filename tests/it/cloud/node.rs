//! Functions in Node.

use serde_json::json;

use super::{Cloud, libraries};
use crate::subprocess::functions::has;

const CODE: &str = include_str!("index.js");

#[tokio::test]
async fn the_standard_library_reaches_the_clouds_names() {
    if !has("node") {
        return;
    }
    let cloud = Cloud::start("node", CODE, "", "").await;
    for by in ["request", "fetch"] {
        cloud.check("node", by, &["http", "https"]).await;
    }
    let url = format!("http://{}/", super::BUCKET);
    let answer = cloud.returns("node", &json!({ "by": "connect", "url": url })).await;
    assert_eq!(answer[0], 200, "{answer}");
    cloud.finish().await;
}

#[tokio::test]
async fn libraries_reach_the_clouds_names() {
    let Some(libraries) = libraries::node() else { return };
    // The folder may be in the /tmp of the machine.
    let lines = format!("private_tmp = false\nenvironment = {{ LIBRARIES = {libraries:?} }}");
    let cloud = Cloud::start("node", CODE, &lines, "").await;
    for by in ["axios", "nodeFetch", "beside_nock"] {
        cloud.check("node", by, &["http", "https"]).await;
    }
    cloud.finish().await;
}

#[tokio::test]
async fn the_object_stores_library_reaches_the_store_with_the_pair_of_the_role() {
    let Some(libraries) = libraries::node() else { return };
    let role =
        format!("role = \"chat\"\nprivate_tmp = false\nenvironment.LIBRARIES = {libraries:?}");
    let cloud = Cloud::start("node", CODE, &role, "").await;
    cloud.check_cos("node", "cosSdk").await;
    cloud.finish().await;
}

#[tokio::test]
async fn names_outside_are_refused_at_once_where_the_settings_say_so() {
    if !has("node") {
        return;
    }
    let cloud = Cloud::start("node", CODE, "", "outside = \"refuse\"").await;
    for by in ["request", "fetch", "connect"] {
        let event = json!({ "by": by, "url": "http://example.com/", "body": "x" });
        let answer = cloud.returns("node", &event).await;
        assert_eq!(answer, json!(["ENOTFOUND", "getaddrinfo ENOTFOUND example.com"]), "{by}");
    }
    let log = cloud.log("node").await;
    assert_eq!(log.matches("example.com is refused: set cloud.outside").count(), 1, "{log}");
    cloud.check("node", "request", &["http"]).await;
    cloud.finish().await;
}

/// It may not be there, such as where there is no way to the cloud.
#[tokio::test]
async fn a_name_of_the_cloud_that_is_left_as_it_is_is_in_the_log_once() {
    if !has("node") {
        return;
    }
    // In place of a resolver.
    const NOBODY: &str = r#"
const nobody = (host, options, done) => done(Object.assign(new Error(host), { code: "ENOTFOUND" }));
BY.nobody = (url) => new Promise((resolve, reject) => {
  net.connect({ host: new URL(url).hostname, port: 80, lookup: nobody }).on("error", reject);
});
"#;
    let names = "names = { \"sms.tencentcloudapi.com\" = \"pass\" }";
    let cloud = Cloud::start("node", &format!("{CODE}{NOBODY}"), "", names).await;
    let [cvm, sms] = ["cvm", "sms"].map(|name| format!("{name}.tencentcloudapi.com"));
    for name in [&*cvm, &*cvm, &*sms, "example.invalid"] {
        let event = json!({ "by": "nobody", "url": format!("http://{name}/"), "body": "" });
        assert_eq!(cloud.returns("node", &event).await, json!(["ENOTFOUND", name]));
    }
    let log = cloud.log("node").await;
    let line = format!("{cvm} is a name of the cloud that is left as it is: set cloud.names");
    assert_eq!((log.matches(&line).count(), log.matches("left as it is").count()), (1, 1), "{log}");
    cloud.finish().await;
}

#[tokio::test]
async fn the_environment_of_the_function_says_nothing_of_names() {
    if !has("node") {
        return;
    }
    let cloud = Cloud::start("node", CODE, "", "").await;
    for variable in ["LONGHOLD_NAMES", "http_proxy"] {
        let event = json!({ "variable": variable });
        assert!(cloud.returns("node", &event).await.is_null(), "{variable}");
    }
    cloud.finish().await;
}
