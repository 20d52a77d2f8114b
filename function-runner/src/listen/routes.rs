//! The routes of the internal listener, and who may use each. Every answer is JSON, except for
//! logs.

use std::{convert::Infallible, sync::LazyLock};

use batch::server::is_batch;
use daemon::{
    body::RequestBody,
    browser::PageGuard,
    credentials::{Caller, Denial, Presented},
    health::{health, readiness},
    http::{Body, json, message, method_not_allowed},
    path::normal,
    router::{Found, ListedPath, Router},
    serve::PeerAddress,
};
use http::{Method, Request, Response, StatusCode, request::Parts};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower::{Service, service_fn};

use super::{action, batch::invoke_batch, bodies::Bodies, drain, invoke::invoke, logs::Followers};
use crate::runner::Runner;

#[derive(Debug, Clone, Copy)]
enum Route {
    /// The action of the cloud API.
    Action,
    Invocations,
    Read(View),
    /// A caller drains.
    Drain,
    /// A path that is kept for routes to come.
    Reserved,
}

/// What can be read of the runner.
#[derive(Debug, Clone, Copy)]
enum View {
    Functions,
    Logs,
    Health,
    Readiness,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy)]
enum Access {
    Anybody,
    /// The signature of the request decides.
    Signed,
    /// A service or the operator.
    Services,
    Operator,
}

impl Route {
    fn access(self) -> Access {
        match self {
            Self::Action => Access::Signed,
            Self::Invocations => Access::Services,
            Self::Read(View::Health | View::Readiness) => Access::Anybody,
            // A gateway asks how long its calls may still run.
            Self::Read(View::Functions) => Access::Services,
            Self::Read(View::Logs) => Access::Operator,
            Self::Drain | Self::Reserved => Access::Services,
        }
    }
}

impl Access {
    /// Why `caller` may not use a route with this access.
    fn denial(self, caller: Caller<'_>) -> Option<Denial> {
        let right = match (self, caller) {
            (Self::Anybody | Self::Signed, _)
            | (Self::Services, Caller::Service | Caller::Operator)
            | (Self::Operator, Caller::Operator) => return None,
            (Self::Services | Self::Operator, _) => {
                "send the header Authorization: Bearer with the token in the runner's \
                 access.operator_file"
            }
        };
        Some(caller.denial(right))
    }
}

/// All routes to come begin with `/~/`, so that no name that a user chooses can be in their way.
static ROUTES: LazyLock<Router<Route>> = LazyLock::new(|| {
    let read = |view| [(Method::GET, Route::Read(view))];
    Router::new()
        .with("/", &[(Method::POST, Route::Action)])
        .with("/functions", &read(View::Functions))
        .with("/functions/{name}/invocations", &[(Method::POST, Route::Invocations)])
        // No function has this name. A parameter of the router is never empty.
        .with("/functions//invocations", &[(Method::POST, Route::Invocations)])
        .with("/functions/{name}/logs", &read(View::Logs))
        .with("/healthz", &read(View::Health))
        .with("/readyz", &read(View::Readiness))
        .with("/~/drain", &[(Method::POST, Route::Drain)])
        .with_any("/~", Route::Reserved)
        .with_any("/~/{*rest}", Route::Reserved)
});

/// All paths of the internal listener.
pub fn paths() -> &'static [ListedPath] {
    ROUTES.paths()
}

/// The service of the internal listener. At `close` answers without an end are ended.
///
/// How many requests at once and for how long are no layers around it: each function has its own
/// limits, and exceeding them has documented answers.
pub(super) fn service(
    guard: PageGuard,
    runner: Runner,
    bodies: Bodies,
    followers: Followers,
    close: CancellationToken,
) -> impl Service<Request<RequestBody>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    service_fn(move |request| {
        let refused = guard.refuse(&request);
        let (runner, bodies) = (runner.clone(), bodies.clone());
        let (followers, close) = (followers.clone(), close.clone());
        async move {
            Ok(match refused {
                Some(refused) => refused,
                None => answer(&runner, &bodies, &followers, close, request).await,
            })
        }
    })
}

async fn answer(
    runner: &Runner,
    bodies: &Bodies,
    followers: &Followers,
    close: CancellationToken,
    request: Request<RequestBody>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = normal(head.uri.path());
    let found = ROUTES.find(&head.method, &path);
    let access = match &found {
        Found::Route(route, _) => route.access(),
        // A caller without a token does not learn which routes there are.
        Found::OtherMethods(_) | Found::Nothing => Access::Services,
    };
    let gate = runner.gate();
    if !gate.is_open()
        && let Some(denial) = access.denial(gate.caller(Presented::of(&head.headers)))
    {
        return gate.refuse(PeerAddress::of(&head.extensions), &path, &denial);
    }
    match found {
        Found::Route(Route::Action, _) => {
            action::answer(runner, &bodies.of_actions, &head, body).await
        }
        Found::Route(Route::Invocations, parameters) => {
            let name = parameters.get("name").unwrap_or_default();
            let memory = &bodies.of_services;
            if is_batch(&head.headers) {
                return invoke_batch(runner, memory, name, body).await;
            }
            invoke(runner, memory, name, &head, body).await
        }
        Found::Route(Route::Read(view), parameters) => {
            let name = parameters.get("name").unwrap_or_default();
            show(runner, followers, view, name, &head)
        }
        Found::Route(Route::Drain, _) if runner.hears_callers() => {
            drain::answer(runner, &head, close)
        }
        Found::Route(Route::Drain | Route::Reserved, _) => {
            message(StatusCode::NOT_FOUND, "this runner has no such route")
        }
        Found::OtherMethods(methods) => method_not_allowed(&methods),
        Found::Nothing => message(StatusCode::NOT_FOUND, "nothing is here"),
    }
}

fn show(
    runner: &Runner,
    followers: &Followers,
    view: View,
    name: &str,
    head: &Parts,
) -> Response<Body> {
    match view {
        View::Functions => json(StatusCode::OK, &json!({ "functions": runner.describe() })),
        View::Logs => match runner.lines(name) {
            Some(lines) => followers.answer(head, &lines),
            None => message(StatusCode::NOT_FOUND, "no function has this name"),
        },
        View::Health => health(),
        View::Readiness => readiness(!runner.is_draining()),
    }
}
