//! The routes of the internal listener. Every answer is JSON, except for logs.

use std::{convert::Infallible, sync::Arc};

use batch::server::is_batch;
use daemon::http::{Body, json, message, method_not_allowed};
use http::{Method, Request, Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use matchit::Router;
use serde_json::json;
use tower::{Service, service_fn};

use super::{action, batch::invoke_batch, invoke::invoke, logs::Followers};
use crate::{invocation::event, runner::Runner};

/// The paths, each for all methods. All routes to come begin with `/~/`, so that no name that a
/// user chooses can be in their way.
const PATHS: [(&str, Route); 9] = [
    ("/", Route::Action),
    ("/functions", Route::Functions),
    ("/functions/{name}/invocations", Route::Invocations),
    // No function has this name. The router takes a parameter only if it is not empty.
    ("/functions//invocations", Route::Invocations),
    ("/functions/{name}/logs", Route::Logs),
    ("/healthz", Route::Health),
    ("/readyz", Route::Readiness),
    ("/~/", Route::Unknown),
    ("/~/{*rest}", Route::Unknown),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Action,
    Functions,
    Invocations,
    Logs,
    Health,
    Readiness,
    /// A path that begins with `/~/`, and that this version does not have.
    Unknown,
}

/// The routes, and what answers them. A handle.
#[derive(Debug, Clone)]
struct Routes {
    router: Arc<Router<Route>>,
    runner: Runner,
    followers: Followers,
}

/// The service of the internal listener.
///
/// How many requests at once and for how long are no layers around it: each function has its own
/// limits, and exceeding them has documented answers.
pub(super) fn service(
    runner: Runner,
    followers: Followers,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    let mut router = Router::new();
    for (path, route) in PATHS {
        router.insert(path, route).expect("no two paths are alike");
    }
    let routes = Routes { router: Arc::new(router), runner, followers };
    service_fn(move |request| {
        let routes = routes.clone();
        async move { Ok(routes.answer(request).await) }
    })
}

impl Routes {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let Ok(found) = self.router.at(head.uri.path()) else {
            event::discard(body).await;
            return message(StatusCode::NOT_FOUND, "nothing is here");
        };
        let name = found.params.get("name").unwrap_or_default();
        match (*found.value, &head.method) {
            (Route::Action, &Method::POST) => action::answer(&self.runner, &head, body).await,
            (Route::Invocations, &Method::POST) if is_batch(&head.headers) => {
                invoke_batch(&self.runner, name, body).await
            }
            (Route::Invocations, &Method::POST) => invoke(&self.runner, name, &head, body).await,
            (route, _) => {
                event::discard(body).await;
                self.answer_without_body(route, name, &head)
            }
        }
    }

    fn answer_without_body(&self, route: Route, name: &str, head: &Parts) -> Response<Body> {
        let is_read = matches!(head.method, Method::GET | Method::HEAD);
        match route {
            Route::Unknown => {
                message(StatusCode::NOT_FOUND, "this version of the runner has no such route")
            }
            Route::Action | Route::Invocations => method_not_allowed("POST"),
            _ if !is_read => method_not_allowed("GET, HEAD"),
            Route::Functions => {
                json(StatusCode::OK, &json!({ "functions": self.runner.describe() }))
            }
            Route::Logs => match self.runner.lines(name) {
                Some(lines) => self.followers.answer(head, &lines),
                None => message(StatusCode::NOT_FOUND, "no function has this name"),
            },
            Route::Health => message(StatusCode::OK, "alive"),
            Route::Readiness if self.runner.is_draining() => {
                message(StatusCode::SERVICE_UNAVAILABLE, "draining")
            }
            Route::Readiness => message(StatusCode::OK, "ready"),
        }
    }
}
