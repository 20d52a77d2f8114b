//! Which APIs a function pushes to: those that name it, or those of `push_to`.

use serde_json::{Value, json};

use super::{Functions, code, eval, logged, settings};
use crate::{
    subprocess::functions::{function, has},
    support::{
        access::SERVICE,
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

/// The echo of this crate, which pushes by itself, with the token of the runner.
#[tokio::test]
async fn a_function_in_rust_pushes_to_clients_of_its_own_apis_only() {
    let world = World::launch(Backend::start().await, &APIS.replace("python", "named")).await;
    let mut a = Client::connect(world.listeners.public, "/a").await.unwrap();
    let id_a = world.backend.next("register").await.id().to_owned();
    let mut b = Client::connect(world.listeners.public, "/b").await.unwrap();
    let id_b = world.backend.next("register").await.id().to_owned();
    let echo = |name: &str, api: &str, lines: &str| {
        format!(
            "[functions.{name}]\nruntime = \"rust\"\nhandler = \"echo\"\n\
             environment.url = \"${{push}}/{api}\"\n{lines}\n"
        )
    };
    let text = [
        format!("variables.push = \"http://{}\"\n", world.listeners.internal),
        echo("named", "api-a", ""),
        echo("listed", "api-b", "push_to = [\"api-b\"]"),
        echo("unnamed", "api-b", ""),
        echo("elsewhere", "api-a", "push_to = [\"api-b\"]"),
        echo("none", "api-a", "push_to = []"),
    ];
    let functions = Functions::start_in(code(), &text.concat()).await;
    let ok = json!({ "errNo": 0, "errMsg": "ok" });
    for (name, id, client) in [("named", &id_a, &mut a), ("listed", &id_b, &mut b)] {
        assert_eq!(functions.returns(name, &data_send(id, name)).await, ok);
        assert_eq!(client.receive_text().await, name);
    }
    for (name, id) in [("unnamed", &id_b), ("elsewhere", &id_a), ("none", &id_a)] {
        let (status, answer) = functions.invoke(name, &data_send(id, "hello")).await;
        let said = answer.to_string();
        assert_eq!(status, 430, "{name}: {said}");
        assert!(said.contains("errNo 401") && said.contains("push_to"), "{name}: {said}");
        assert!(!said.contains(SERVICE), "{said}");
    }
    for client in [a, b] {
        client.close(1000.into()).await;
    }
    functions.finish().await;
    world.finish().await;
}
