//! Pushes that a service passes on for a function: to which APIs they go.

use serde_json::{Value, json};

use crate::support::{
    access::SERVICE,
    backend::Backend,
    soon,
    world::{World, data_send},
};

/// `api-a` names the function `of-a`, `api-b` the function `of-b`, and `api-url` calls a service by
/// its URL. `api-shared` is reached by the id of `api-a` too.
const SETTINGS: &str = r#"
    listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }
    push.auth = "token"
    [[api]]
    id = "api-a"
    path = "/a"
    transmit = "of-a"
    cleanup = "cleans-a"
    [[api]]
    id = "api-b"
    path = "/b"
    register = "of-b"
    transmit = "BACKEND/transmit"
    [[api]]
    id = "api-shared"
    path = "/shared"
    push_ids = ["api-a", "api-etj7lhtw"]
    transmit = "of-shared"
    [[api]]
    id = "api-url"
    path = "/url"
    transmit = "http://127.0.0.1:1/functions/of-url/invocations"
"#;

/// Pushes to `api` with these headers beside the service's token. Returns the status and the
/// answer.
async fn push(world: &World, api: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("http://{}/{api}", world.listeners.internal);
    let mut request = reqwest::Client::new().post(url).bearer_auth(SERVICE);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(data_send("nobody", "hi").to_string()).send();
    let answer = soon("an answer", request).await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

const FUNCTION: &str = "longhold-function";
const PUSH_TO: &str = "longhold-push-to";

#[tokio::test]
async fn a_function_pushes_to_the_apis_that_name_it_or_that_its_settings_list() {
    let world = World::launch(Backend::start().await, SETTINGS).await;
    // The push is let in, and there is no such connection.
    let let_in = (200, json!({ "errNo": 410, "errMsg": "no such connection: it is gone" }));
    for (api, headers) in [
        ("api-a", &[(FUNCTION, "of-a")][..]),
        ("api-a", &[(FUNCTION, "cleans-a")]),
        ("api-b", &[(FUNCTION, "of-b")]),
        ("api-a", &[(FUNCTION, "of-shared")]),
        ("api-etj7lhtw", &[(FUNCTION, "of-shared")]),
        ("api-a", &[(FUNCTION, "of-b"), (PUSH_TO, "api-shared")]),
        ("api-b", &[(FUNCTION, "of-a"), (PUSH_TO, "api-b")]),
        ("api-b", &[(FUNCTION, "of-a"), (PUSH_TO, "api-a,api-b")]),
    ] {
        assert_eq!(push(&world, api, headers).await, let_in, "{api} {headers:?}");
    }
    for (api, headers, words) in [
        ("api-b", &[(FUNCTION, "of-a")][..], "function \"of-a\" may not push to api \"api-b\""),
        ("api-b", &[(FUNCTION, "of-a")], "set push_to = [\"api-b\"] of functions.of-a"),
        ("api-b", &[(FUNCTION, "transmit")], "may not push"),
        ("api-url", &[(FUNCTION, "of-url")], "may not push"),
        ("api-etj7lhtw", &[(FUNCTION, "of-a")], "may not push to api \"api-etj7lhtw\""),
        ("api-shared", &[(FUNCTION, "of-a")], "may not push to api \"api-shared\""),
        ("api-c", &[(FUNCTION, "of-a")], "may not push to api \"api-c\": no such api names it"),
        ("api-a", &[(FUNCTION, "")], "may not push"),
        ("api-a", &[], "name it in the header longhold-function"),
        // The list is all that counts.
        ("api-a", &[(FUNCTION, "of-a"), (PUSH_TO, "api-b")], "its push_to does not have it"),
        ("api-a", &[(FUNCTION, "of-a"), (PUSH_TO, "")], "add it to push_to of functions.of-a"),
        ("api-a", &[(PUSH_TO, "api-a")], "name it in the header longhold-function"),
    ] {
        let (status, answer) = push(&world, api, headers).await;
        assert_eq!((status, &answer["errNo"]), (401, &json!(401)), "{api} {headers:?}");
        let said = answer["errMsg"].as_str().unwrap();
        assert!(said.contains(words) && !said.contains(SERVICE), "{said}");
    }
    // An API that names the function from now on.
    let changed = SETTINGS.replace("register = \"of-b\"", "register = \"of-a\"");
    world.change(&changed).await;
    world.change(&changed).await;
    assert_eq!(push(&world, "api-b", &[(FUNCTION, "of-a")]).await, let_in);
    assert_eq!(push(&world, "api-b", &[(FUNCTION, "of-b")]).await.0, 401);
    world.finish().await;
}
