//! Pushes of a child: `POST /<api id>`. They are passed on to the gateway, in tasks of their own:
//! the future of a request is dropped when its connection ends, and a child need not wait for the
//! answer.
//!
//! They have nothing to do with events: a child may push whenever it runs.

mod rest;
mod turns;

use std::time::Duration;

use daemon::{
    browser::{PageGuard, PageSettings},
    credentials::AccessToken,
    http::{Body, message, method_not_allowed},
    path::{TOKEN_PATH, normal},
    serve::host_problem,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use shared::api_id::is_api_id;
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::turns::{Admitted, Turn, Turns, WAITING_MAX};
use crate::push::{Begin, PUSH_TIMEOUT, PushBody, PushFailure, PushHeaders, Pushes, refused};

/// How long pushes may still take when their instance has ended. Less than its connections have, so
/// that none breaks off in the middle of a push.
const END_TIMEOUT: Duration = Duration::from_millis(500);
/// Passes the pushes of one child on.
#[derive(Debug, Clone)]
pub(super) struct ChildPushes {
    pushes: Pushes,
    /// Each push has to carry it, if there is one.
    secret: Option<AccessToken>,
    guard: PageGuard,
    turns: Turns,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl ChildPushes {
    /// Those of a child whose requests have to carry `secret`, if there is one. They are passed on
    /// in tasks of `tasks`, which end soon after `stop`.
    pub(super) fn new(
        pushes: Pushes,
        secret: Option<AccessToken>,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        // For the pages in a browser that the child may have started.
        let guard = PageGuard::new(PageSettings::default());
        Self { pushes, secret, guard, turns: Turns::new(), tasks, stop }
    }

    /// The address that the child pushes to, if its runtime API is at `port`.
    pub(super) fn url(&self, port: u16) -> String {
        let path = self.secret.as_ref().map(|secret| format!("{TOKEN_PATH}{}", secret.reveal()));
        format!("http://127.0.0.1:{port}{}", path.unwrap_or_default())
    }

    /// Answers a request for a path that the runtime API does not have.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match self.api_of(&request) {
            Ok(api) => self.push(api, request).await,
            Err(refusal) => self.refuse(request, *refusal),
        }
    }

    /// Answers a request for a host of the cloud to which functions push. `api` is from its path,
    /// or what stands for that here.
    pub(super) async fn push_to(&self, api: &str, request: Request<Incoming>) -> Response<Body> {
        // A page in a browser that the child has started, and that uses the proxy.
        let is_of_page =
            ["origin", "sec-fetch-site"].map(|name| request.headers().contains_key(name));
        let refusal = match (is_api_id(api), request.method() == Method::POST) {
            _ if is_of_page.contains(&true) => {
                refused(StatusCode::FORBIDDEN, "pages of a browser may not push")
            }
            (true, true) => return self.push(api.to_owned(), request).await,
            (true, false) => method_not_allowed("POST"),
            (false, _) => nothing_here(),
        };
        self.refuse(request, refusal)
    }

    async fn push(&self, api: String, request: Request<Incoming>) -> Response<Body> {
        let Some(admitted) = self.turns.admit() else {
            let what = format!("not delivered: {WAITING_MAX} pushes of the process wait already");
            let failure = PushFailure::of_runner(StatusCode::TOO_MANY_REQUESTS, &what);
            return self.refuse(request, self.pushes.failed(&api, failure, &Begin::default()));
        };
        let headers = PushHeaders::of(request.headers());
        let passing_on = self.clone().pass_on(admitted, api, headers, request.into_body());
        let passed_on = self.tasks.spawn(passing_on).await;
        passed_on.unwrap_or_else(|_| {
            refused(StatusCode::INTERNAL_SERVER_ERROR, "the function-runner has failed")
        })
    }

    fn refuse(&self, request: Request<Incoming>, refusal: Response<Body>) -> Response<Body> {
        // Reading would tell a client to send what it has asked for.
        if !request.headers().contains_key(header::EXPECT) {
            self.tasks.spawn(rest::drop_all(request.into_body()));
        }
        refusal
    }

    /// The API that the request is for, or the answer to a request that is no push.
    fn api_of<B>(&self, request: &Request<B>) -> Result<String, Box<Response<Body>>> {
        if let Some(problem) = host_problem(request.version(), request.headers()) {
            let mut refusal = message(StatusCode::BAD_REQUEST, problem);
            // What follows may be meant for another server.
            refusal.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return Err(refusal.into());
        }
        if let Some(refusal) = self.guard.refuse(request) {
            return Err(refusal.into());
        }
        match api_of(&normal(request.uri().path()), self.secret.as_ref()) {
            Ok(api) if request.method() == Method::POST => Ok(api.to_owned()),
            Ok(_) => Err(method_not_allowed("POST").into()),
            Err(NoPush::NoApi) => Err(nothing_here().into()),
            Err(NoPush::NoSecret) => {
                let what = "this is not the address to push to of this process: use ${push}";
                Err(refused(StatusCode::UNAUTHORIZED, what).into())
            }
        }
    }

    /// Passes one push on. It may wait for its turn, so the rest of its head is not kept.
    async fn pass_on(
        self,
        admitted: Admitted,
        api: String,
        headers: PushHeaders,
        body: Incoming,
    ) -> Response<Body> {
        let begin = Begin::default();
        let passing = timeout(PUSH_TIMEOUT, self.in_turn(admitted, &api, headers, body, &begin));
        let cut = async {
            self.stop.cancelled().await;
            sleep(END_TIMEOUT).await;
        };
        let (status, what) = tokio::select! {
            biased;
            passed_on = passing => match passed_on {
                Ok(answer) => return answer,
                Err(_) => (StatusCode::GATEWAY_TIMEOUT, "unknown whether delivered: it took too long"),
            },
            () = cut => {
                (StatusCode::SERVICE_UNAVAILABLE, "unknown whether delivered: its instance has ended")
            }
        };
        self.pushes.failed(&api, PushFailure::of_runner(status, what), &begin)
    }

    async fn in_turn(
        &self,
        admitted: Admitted,
        api: &str,
        headers: PushHeaders,
        body: Incoming,
        begin: &Begin,
    ) -> Response<Body> {
        let turn = admitted.turn().await;
        let (body, ended) = PushBody::new(body, begin.clone(), self.stop.clone());
        let answer = self.pushes.pass_on(api, headers, body, begin).await;
        rest::drop_later(ended, &self.tasks);
        in_turn_to_its_end(answer, turn)
    }
}

fn nothing_here() -> Response<Body> {
    message(StatusCode::NOT_FOUND, "nothing is here: POST to /<api id> to push")
}

/// `answer`, which has `turn` until its end: a long one comes as the child reads it.
fn in_turn_to_its_end(mut answer: Response<Body>, turn: Turn) -> Response<Body> {
    if let Some(bytes) = answer.body().size_hint().exact() {
        answer.headers_mut().insert(header::CONTENT_LENGTH, bytes.into());
    }
    answer.map(|body| {
        let frames = body.map_frame(move |frame| {
            let _kept = &turn;
            frame
        });
        frames.boxed_unsync()
    })
}

/// Why a path is not that of a push.
#[derive(Debug, PartialEq, Eq)]
enum NoPush {
    NoApi,
    NoSecret,
}

/// The API in `path`, which is in normal form and has to carry `secret`, if there is one.
fn api_of<'p>(path: &'p str, secret: Option<&AccessToken>) -> Result<&'p str, NoPush> {
    let path = match secret {
        None => path.strip_prefix('/').ok_or(NoPush::NoApi)?,
        Some(secret) => {
            let carried = path.strip_prefix(TOKEN_PATH).and_then(|rest| rest.split_once('/'));
            let carried = carried.filter(|(carried, _)| secret.matches(carried));
            carried.ok_or(NoPush::NoSecret)?.1
        }
    };
    // Joined URLs have slashes at their end.
    let api = path.trim_end_matches('/');
    is_api_id(api).then_some(api).ok_or(NoPush::NoApi)
}

#[cfg(test)]
mod tests {
    use daemon::{credentials::AccessToken, path::normal};

    use super::{NoPush, api_of};

    #[test]
    fn a_push_has_the_path_of_an_api_and_no_other() {
        for path in ["/api-x", "//api-x", "/api-x/", "/a/../api-x", "/%61pi-x", "/./api-x"] {
            assert_eq!(api_of(&normal(path), None), Ok("api-x"), "{path}");
        }
        for path in [
            "/",
            "*",
            "",
            "/../cleanups",
            "/healthz",
            "/readyz/",
            "/metrics",
            "/api-x/retry",
            "/api-x%2Fretry",
            "/api-x%0d%0a",
            "/api-x%3Fa",
            "/~/t/token/api-x",
            "/~/drain",
            "/x/../runtime/invocation/next",
        ] {
            assert_eq!(api_of(&normal(path), None), Err(NoPush::NoApi), "{path}");
        }
    }

    #[test]
    fn a_push_carries_the_secret_of_its_instance_if_there_is_one() {
        let secret = AccessToken::random();
        let path = |rest: &str| format!("/~/t/{}{rest}", secret.reveal());
        assert_eq!(api_of(&path("/api-x"), Some(&secret)), Ok("api-x"));
        assert_eq!(api_of(&path("/healthz"), Some(&secret)), Err(NoPush::NoApi));
        let of_another = format!("/~/t/{}/api-x", AccessToken::random().reveal());
        for path in ["/api-x", &of_another, "/~/t//api-x", &path(""), "/hunter2/api-x"] {
            assert_eq!(api_of(path, Some(&secret)), Err(NoPush::NoSecret), "{path}");
        }
    }
}
