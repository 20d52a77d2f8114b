//! Which path is answered by what. Everything but a log is answered with JSON.

use std::convert::Infallible;

use batch::server::is_batch;
use daemon::http::{Body, json, message, method_not_allowed};
use http::{Method, Request, Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use serde_json::json;
use tower::{Service, service_fn};

use super::{
    action,
    invoke::{invoke, invoke_batch},
    logs::Followers,
};
use crate::{invocation::event, runner::Runner};

/// The service of the internal listener.
///
/// How many at once and for how long are not layers around it: each function has its own limits,
/// and exceeding them has documented answers.
pub(super) fn service(
    runner: Runner,
    followers: Followers,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    service_fn(move |request| {
        let (runner, followers) = (runner.clone(), followers.clone());
        async move { Ok(answer(&runner, &followers, request).await) }
    })
}

async fn answer(
    runner: &Runner,
    followers: &Followers,
    request: Request<Incoming>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if path == "/" {
        if head.method == Method::POST {
            return action::answer(runner, &head, body).await;
        }
        event::discard(body).await;
        return method_not_allowed("POST");
    }
    let of_function = of_function(path);
    if let Some((name, "invocations")) = of_function {
        if head.method == Method::POST && is_batch(&head.headers) {
            return invoke_batch(runner, name, body).await;
        }
        if head.method == Method::POST {
            return invoke(runner, name, &head, body).await;
        }
        event::discard(body).await;
        return method_not_allowed("POST");
    }
    event::discard(body).await;
    if let Some((name, "logs")) = of_function {
        return logs(runner, followers, name, &head);
    }
    let answer: fn(&Runner) -> Response<Body> = match path {
        "/functions" => functions,
        "/healthz" => health,
        "/readyz" => readiness,
        _ => return message(StatusCode::NOT_FOUND, "nothing is here"),
    };
    match head.method {
        Method::GET | Method::HEAD => answer(runner),
        _ => method_not_allowed("GET, HEAD"),
    }
}

/// The name of a function in `path`, and what of it.
fn of_function(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("/functions/")?.split_once('/')
}

fn logs(runner: &Runner, followers: &Followers, name: &str, head: &Parts) -> Response<Body> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return method_not_allowed("GET, HEAD");
    }
    match runner.lines(name) {
        Some(lines) => followers.answer(head, &lines),
        None => message(StatusCode::NOT_FOUND, "no function has this name"),
    }
}

fn functions(runner: &Runner) -> Response<Body> {
    json(StatusCode::OK, &json!({ "functions": runner.describe() }))
}

fn health(_: &Runner) -> Response<Body> {
    message(StatusCode::OK, "alive")
}

fn readiness(runner: &Runner) -> Response<Body> {
    if runner.is_draining() {
        return message(StatusCode::SERVICE_UNAVAILABLE, "draining");
    }
    message(StatusCode::OK, "ready")
}
