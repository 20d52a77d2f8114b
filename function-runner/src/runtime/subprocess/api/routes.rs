//! The routes of the listener of an instance: its runtime API, and pushes.
//!
//! Who may use them is not decided here: connections of strangers are closed unread, each route of
//! the runtime API wants the secret of the instance, and a push what `push` says.

use std::sync::LazyLock;

use daemon::router::{Found, ListedPath, Router};
use http::Method;

/// What a request of the child is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Runtime(RuntimeRoute),
    Push,
}

/// A route of the runtime API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuntimeRoute {
    Ready,
    NotLoaded,
    Next,
    Response,
    Raised,
    /// A path that is kept for the runtime API, and has no meaning.
    Reserved,
}

static ROUTES: LazyLock<Router<Route>> = LazyLock::new(|| {
    let post = |route| [(Method::POST, Route::Runtime(route))];
    Router::new()
        .with("/runtime/init/ready", &post(RuntimeRoute::Ready))
        .with("/runtime/init/error", &post(RuntimeRoute::NotLoaded))
        .with("/runtime/invocation/next", &[(Method::GET, Route::Runtime(RuntimeRoute::Next))])
        .with("/runtime/invocation/response", &post(RuntimeRoute::Response))
        .with("/runtime/invocation/error", &post(RuntimeRoute::Raised))
        // AWS Lambda has the id of the event in the path, SCF in a header or nowhere.
        .with("/runtime/invocation/{id}/response", &post(RuntimeRoute::Response))
        .with("/runtime/invocation/{id}/error", &post(RuntimeRoute::Raised))
        .with_any("/runtime/{*rest}", Route::Runtime(RuntimeRoute::Reserved))
        .with_any("/~/t/{token}/{*id}", Route::Push)
        .with_any("/", Route::Push)
        .with_any("/{*id}", Route::Push)
});

/// What the paths of AWS Lambda begin with. What follows is the same for both clouds.
const OF_LAMBDA: &str = "/2018-06-01";

/// All paths of the listener of an instance. Those of the runtime API also exist behind the date
/// with which AWS Lambda begins them.
pub fn paths() -> &'static [ListedPath] {
    ROUTES.paths()
}

/// The route of a request whose path is `path`, in normal form, and the id of the event in it. The
/// error says which methods there are.
pub(super) fn find<'p>(method: &Method, path: &'p str) -> Result<(Route, Option<&'p str>), String> {
    let of_lambda = path.strip_prefix(OF_LAMBDA).filter(|rest| rest.starts_with("/runtime/"));
    match ROUTES.find(method, of_lambda.unwrap_or(path)) {
        // A router answers HEAD like GET. The event in the answer would be lost.
        Found::Route(Route::Runtime(RuntimeRoute::Next), _) if *method == Method::HEAD => {
            Err(Method::GET.to_string())
        }
        Found::Route(route, parameters) => {
            let id = match route {
                Route::Runtime(_) => parameters.get("id"),
                Route::Push => None,
            };
            Ok((route, id))
        }
        Found::OtherMethods(methods) => Err(methods.replace("GET, HEAD", "GET")),
        // Such as `*`. The answer to what is no push says what there is.
        Found::Nothing => Ok((Route::Push, None)),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{Route, RuntimeRoute, find};

    fn check(request: &str, expected: Result<(Route, Option<&str>), &str>) {
        let (method, path) = request.split_once(' ').unwrap();
        let found = find(&Method::try_from(method).unwrap(), path);
        assert_eq!(found, expected.map_err(str::to_owned), "{request}");
    }

    #[test]
    fn both_dialects_ask_for_the_same() {
        let runtime = |route, id| Ok((Route::Runtime(route), id));
        check("POST /runtime/init/ready", runtime(RuntimeRoute::Ready, None));
        check("GET /runtime/invocation/next", runtime(RuntimeRoute::Next, None));
        check("POST /runtime/invocation/response", runtime(RuntimeRoute::Response, None));
        check("POST /runtime/invocation/error", runtime(RuntimeRoute::Raised, None));
        check("POST /2018-06-01/runtime/init/error", runtime(RuntimeRoute::NotLoaded, None));
        check("GET /2018-06-01/runtime/invocation/next", runtime(RuntimeRoute::Next, None));
        let path = "/2018-06-01/runtime/invocation/a";
        check(&format!("POST {path}/response"), runtime(RuntimeRoute::Response, Some("a")));
        check(&format!("POST {path}/error"), runtime(RuntimeRoute::Raised, Some("a")));
    }

    #[test]
    fn an_event_is_given_to_get_alone() {
        for method in ["HEAD", "POST", "PUT"] {
            check(&format!("{method} /runtime/invocation/next"), Err("GET"));
        }
        check("GET /runtime/invocation/response", Err("POST"));
        check("PUT /2018-06-01/runtime/init/ready", Err("POST"));
    }

    #[test]
    fn all_other_paths_are_for_pushes() {
        let reserved = Ok((Route::Runtime(RuntimeRoute::Reserved), None));
        for path in ["/runtime/x", "/runtime/invocation//response", "/2018-06-01/runtime/x/y"] {
            check(&format!("GET {path}"), reserved);
        }
        for path in ["/", "*", "/api-x", "/runtime", "/2018-06-01/x", "/~/t/token/api-x"] {
            check(&format!("POST {path}"), Ok((Route::Push, None)));
        }
    }
}
