//! The pair of functions with a role.

use serde_json::json;

use super::{Cloud, libraries};
use crate::subprocess::functions::has;

const CODE: &str = include_str!("index.py");
const VARIABLES: &str = "[os.environ.get('TENCENTCLOUD_' + name) for name in \
                         ('SECRETID', 'SECRETKEY', 'SESSIONTOKEN')]";

#[tokio::test]
async fn a_function_with_a_role_has_a_pair_and_others_have_none() {
    if !has("python") {
        return;
    }
    let cloud = Cloud::start("python", CODE, "", "").await;
    let event = json!({ "eval": VARIABLES });
    assert_eq!(cloud.returns("python", &event).await, json!([null, null, null]));
    cloud.finish().await;
    let cloud = Cloud::start("python", CODE, "role = \"any\"", "").await;
    let given = cloud.returns("python", &event).await;
    assert!(given[0].as_str().unwrap().starts_with("AKID"), "{}", given[0]);
    assert!(given[1].as_str().unwrap().len() >= 32 && given[2].is_string());
    // Not in the context, which code writes into logs.
    let event = json!({ "eval": "context['environ'] + context['environment']" });
    let context = cloud.returns("python", &event).await.as_str().unwrap().to_owned();
    assert!(!context.contains("TENCENTCLOUD_SECRET"), "{context}");
    cloud.finish().await;
    let lines = "role = \"any\"\nenvironment = { TENCENTCLOUD_SECRETID = \"mine\" }";
    let cloud = Cloud::start("python", CODE, lines, "").await;
    let given = cloud.returns("python", &json!({ "eval": VARIABLES })).await;
    assert_eq!(given[0], "mine");
    cloud.finish().await;
}

#[tokio::test]
async fn a_pair_of_the_settings_is_that_of_the_role() {
    if !has("python") {
        return;
    }
    let role = "role = { secret_id = \"AKIDmine\", secret_key = \"hunter2-hunter2-\" }";
    let cloud = Cloud::start("python", CODE, "role = \"any\"", role).await;
    let given = cloud.returns("python", &json!({ "eval": VARIABLES })).await;
    assert_eq!((&given[0], &given[1]), (&json!("AKIDmine"), &json!("hunter2-hunter2-")));
    cloud.finish().await;
}

/// The cloud's own library finds the pair in the environment, and the API by its name.
const INVOKES: &str = r#"
import json, os
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.scf.v20180416 import models, scf_client

def main_handler(event, context):
    if "key" not in event:
        return {"invoked": event}
    key = event["key"] or os.environ["TENCENTCLOUD_SECRETKEY"]
    pair = credential.Credential(os.environ["TENCENTCLOUD_SECRETID"], key,
                                 os.environ["TENCENTCLOUD_SESSIONTOKEN"])
    request = models.InvokeRequest()
    request.FunctionName, request.ClientContext = "python", json.dumps({"hello": "world"})
    try:
        answer = scf_client.ScfClient(pair, "ap-guangzhou").Invoke(request)
        return json.loads(answer.Result.RetMsg)
    except TencentCloudSDKException as error:
        return error.get_code()
"#;

#[tokio::test]
async fn the_clouds_library_invokes_functions_with_the_role() {
    let Some(interpreter) = libraries::python() else { return };
    let lines = format!("{interpreter}\nrole = \"any\"");
    let cloud = Cloud::start("python", INVOKES, &lines, "").await;
    let answer = cloud.returns("python", &json!({ "key": "" })).await;
    assert_eq!(answer, json!({ "invoked": { "hello": "world" } }));
    let answer = cloud.returns("python", &json!({ "key": "another key of the pair" })).await;
    assert_eq!(answer, "AuthFailure.SignatureFailure");
    cloud.finish().await;
}
