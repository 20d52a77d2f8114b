//! Every route of every listener, asked with every kind of credential. A route that is added and
//! not named here is a failure.

mod credentials;
mod listener;
mod services;
mod signature;
mod store;
mod table;

use daemon::router::ListedPath;
use http::{Method, StatusCode};

pub(crate) use self::table::{METHODS, RUNTIME_API, Who};
use self::{
    credentials::{ALL, OTHER, PUSH, WRONG, With, role_key},
    listener::{Listener, plain, send},
    services::Services,
    table::{GATEWAY, PUBLIC, RUNNER, Row},
};
use crate::support::access::{OPERATOR, SERVICE};

#[track_caller]
fn check_table(table: &[Row], paths: &[ListedPath]) {
    let table = table.iter().map(|(path, methods, _)| ListedPath {
        path: (*path).to_owned(),
        methods: methods.to_vec(),
    });
    assert_eq!(table.collect::<Vec<_>>(), paths, "name each route here, and who may use it");
}

#[test]
fn every_route_of_every_listener_is_asked_here() {
    check_table(GATEWAY, gateway::listen::internal_paths());
    check_table(RUNNER, function_runner::paths());
    check_table(PUBLIC, gateway::listen::public_paths());
    check_table(RUNTIME_API, function_runner::runtime_api_paths());
}

#[tokio::test]
async fn each_route_takes_the_credentials_that_it_needs_and_no_others() {
    let services = Services::start("token").await;
    for listener in services.internal() {
        for (path, methods, who) in listener.table {
            for (method, with) in METHODS.iter().flat_map(|it| ALL.map(|with| (it, with))) {
                let who = listener.who(methods, *who, method);
                let answer = send(listener.request(method, path, with)).await;
                let (status, place) = (answer.status(), format!("{method} {path} {with:?}"));
                let challenge = answer.headers().get("www-authenticate").cloned();
                assert_eq!(status == StatusCode::UNAUTHORIZED, !who.has(with), "{place}: {status}");
                assert_eq!(challenge.is_some(), !who.has(with), "{place}");
                assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{place}");
                if matches!(who, Who::Signed) {
                    let said = answer.text().await.unwrap();
                    assert!(said.contains("AuthFailure.SecretIdNotFound"), "{place}: {said}");
                    assert!(said.contains("[invoke]"), "{place}: {said}");
                } else if !who.has(with) {
                    let said = answer.text().await.unwrap();
                    let tokens = [PUSH, OTHER, WRONG, SERVICE, OPERATOR, &role_key()];
                    assert!(!tokens.iter().any(|token| said.contains(token)), "{place}: {said}");
                    // Callers of pushes parse the answer.
                    let is_push = matches!(who, Who::Pushers | Who::TokenInPath | Who::NoApi);
                    assert_eq!(
                        said.contains("\"errNo\":401"),
                        is_push && *method != Method::HEAD,
                        "{said}"
                    );
                }
            }
        }
    }
    // A path with no route at all, which a caller without a token does not learn.
    let [_, runner] = services.internal();
    for with in ALL {
        let answer = send(runner.request(&Method::GET, "/nothing", with)).await;
        let expected = if Who::Services.has(with) { 404 } else { 401 };
        assert_eq!(answer.status(), expected, "{with:?}");
    }
    services.world.finish().await;
}

/// The public listener has no tokens, and says no more than whether the gateway is there.
#[tokio::test]
async fn the_public_listener_has_no_route_for_programs() {
    let services = Services::start("token").await;
    let base = format!("http://{}", services.world.listeners.public);
    let public = Listener { base, http: plain(), table: PUBLIC, nothing: Who::Anybody };
    for ((path, methods, _), method) in PUBLIC.iter().flat_map(|it| METHODS.map(|m| (it, m))) {
        let answers = ALL.map(|with| send(public.request(&method, path, with)));
        let expected = match (methods.is_empty(), method.clone()) {
            (true, _) => 404,
            (false, Method::GET | Method::HEAD) => 200,
            (false, _) => 405,
        };
        for answer in answers {
            assert_eq!(answer.await.status(), expected, "{method} {path}");
        }
    }
    services.world.finish().await;
}

/// Over loopback a push needs no token, and nothing else changes: the token of another API, and a
/// wrong one, push nothing.
#[tokio::test]
async fn this_machine_may_push_without_a_token_where_the_settings_say_so() {
    let services = Services::start("loopback").await;
    let [gateway, _] = services.internal();
    for (path, methods, who) in GATEWAY {
        for (method, with) in METHODS.iter().flat_map(|it| ALL.map(|with| (it, with))) {
            let who = gateway.who(methods, *who, method);
            let is_push = matches!(who, Who::Pushers | Who::Known | Who::NoApi);
            let has_no_token = matches!(with, With::Nothing | With::Function);
            let is_let_in = who.has(with) || has_no_token && is_push;
            let status = send(gateway.request(method, path, with)).await.status();
            let place = format!("{method} {path} {with:?}");
            assert_eq!(status == StatusCode::UNAUTHORIZED, !is_let_in, "{place}: {status}");
        }
    }
    services.world.finish().await;
}

/// Whatever the request presents: a browser adds the credentials of its user to what a page sends.
#[tokio::test]
async fn no_route_but_health_answers_a_page() {
    let services = Services::start("loopback").await;
    for listener in services.internal() {
        for (path, methods, who) in listener.table {
            let method = methods.first().unwrap_or(&Method::POST);
            for (name, value) in [
                ("origin", "https://evil.example"),
                ("origin", "null"),
                ("sec-fetch-site", "cross-site"),
                ("host", "evil.example"),
            ] {
                let with = if path.contains("{token}") { With::ThisApi } else { With::Operator };
                let request = listener.request(method, path, with).header(name, value);
                let expected = if matches!(who, Who::Anybody) { 200 } else { 403 };
                assert_eq!(send(request).await.status(), expected, "{path} {name}: {value}");
            }
        }
    }
    services.world.finish().await;
}
