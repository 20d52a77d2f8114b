//! Which APIs a function in a child process pushes to: those that name it, or those of `push_to`.

use serde_json::{Value, json};

use super::{Functions, code, eval, logged, settings};
use crate::{
    subprocess::functions::{function, has},
    support::{
        backend::Backend,
        client::Client,
        world::{World, data_send},
    },
};

/// Two APIs. The first names the function `python`, at the runner that the gateway knows.
const APIS: &str = r#"
    push.auth = "token"
    [listen]
    public = "127.0.0.1:0"
    internal = "127.0.0.1:0"
    [[api]]
    id = "api-a"
    path = "/a"
    register = "BACKEND/register"
    transmit = "python"
    cleanup = "BACKEND/cleanup"
    [[api]]
    id = "api-b"
    path = "/b"
    register = "BACKEND/register"
    transmit = "BACKEND/transmit"
    cleanup = "BACKEND/cleanup"
"#;

/// The answer to a push of a text by `name`, to the connection `id` of `api`.
async fn push(functions: &Functions, name: &str, api: &str, id: &str) -> Value {
    let body = data_send(id, "hello").to_string();
    let code = format!("push({body:?}, URL.replace('api-x', {api:?}))");
    functions.returns(name, &json!({ "eval": code })).await
}

#[tokio::test]
async fn a_function_pushes_to_clients_of_its_own_apis_only() {
    if !has("python") {
        return;
    }
    let world = World::launch(Backend::start().await, APIS).await;
    let mut a = Client::connect(world.listeners.public, "/a").await.unwrap();
    let id_a = world.backend.next("register").await.id().to_owned();
    let mut b = Client::connect(world.listeners.public, "/b").await.unwrap();
    let id_b = world.backend.next("register").await.id().to_owned();
    let lines = "timeout = \"60s\"\nenvironment.url = \"${push}/api-x\"\npush_to = [\"api-b\"]";
    let other = function("python", lines).replace("functions.python", "functions.other");
    let none = function("python", &lines.replace("[\"api-b\"]", "[]"));
    let none = none.replace("functions.python", "functions.none");
    let text = settings(&format!("http://{}", world.listeners.internal), "") + &other + &none;
    let functions = Functions::start_in(code(), &text).await;
    let ok = json!([200, { "errNo": 0, "errMsg": "ok" }]);
    assert_eq!(push(&functions, "python", "api-a", &id_a).await, ok);
    assert_eq!(a.receive_text().await, "hello");
    assert_eq!(push(&functions, "other", "api-b", &id_b).await, ok);
    assert_eq!(b.receive_text().await, "hello");
    for (name, api, id) in [
        ("python", "api-b", &id_b),
        ("python", "api-c", &id_b),
        ("other", "api-a", &id_a),
        ("none", "api-a", &id_a),
    ] {
        let answer = push(&functions, name, api, id).await;
        assert_eq!((&answer[0], &answer[1]["errNo"]), (&json!(401), &json!(401)), "{name} {api}");
        let said = answer[1]["errMsg"].as_str().unwrap();
        assert!(said.contains("push_to") && said.contains(name) && said.contains(api), "{said}");
    }
    // The path of one API does not lead to the clients of another.
    assert_eq!(push(&functions, "python", "api-a", &id_b).await[1]["errNo"], 410);
    logged(&functions, "push of function python to api-b failed with errNo 401").await;
    // A program that has no function and no token.
    let direct = format!("push('{{}}', 'http://{}/api-a')", world.listeners.internal);
    assert_eq!(eval(&functions, &direct).await[1]["errNo"], 401);
    for client in [a, b] {
        client.close(1000.into()).await;
    }
    functions.finish().await;
    world.finish().await;
}
