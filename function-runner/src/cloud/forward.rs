//! Passes requests on to a server, with their method, path, headers and `Host`, and streams both
//! bodies. Nothing is kept, and nothing is repeated.

use std::{fmt, sync::Arc, time::Duration};

use daemon::http::{Body, full, message};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version, header,
    uri::{Authority, PathAndQuery, Scheme},
};
use http_body_util::BodyExt;
use hyper::{body::Incoming, upgrade};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::{
    io::copy_bidirectional,
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::debug;
use url::Url;

use super::watched::Watched;

/// How long it may take to connect to a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may take to answer, from the head of the request on.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(900);
/// How long a connection is kept for the next request, and how many for each server.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
const IDLE_MAX: usize = 16;

/// Headers that are for one connection only (RFC 9110, section 7.6.1). `Expect` is answered by the
/// listener.
const OF_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// How many connections of one function may have gone on with another protocol, such as WebSockets.
/// Each has two sockets, and is no connection of HTTP any more.
const UPGRADES_MAX: usize = 64;

/// What passes the requests of one function on.
pub(super) struct Forwarding {
    http: Client<HttpConnector, Incoming>,
    upgrades: Arc<Semaphore>,
}

impl Forwarding {
    pub(super) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_MAX)
            .build(connector);
        Self { http, upgrades: Arc::new(Semaphore::new(UPGRADES_MAX)) }
    }

    /// The answer of `server` to a request for `name`.
    pub(super) async fn forward(
        &self,
        name: &str,
        server: &Url,
        mut request: Request<Incoming>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Response<Body> {
        let wanted = upgrade_of(request.headers());
        let Ok(permit) = wanted.as_ref().map(|_| self.permit()).transpose() else {
            let what = format!("the function has {UPGRADES_MAX} connections of WebSockets open");
            return message(StatusCode::SERVICE_UNAVAILABLE, &what);
        };
        let of_child = wanted.is_some().then(|| upgrade::on(&mut request));
        let Some(request) = for_server(name, server, request, wanted.as_ref()) else {
            return message(StatusCode::BAD_REQUEST, "the path of the request is not valid");
        };
        let mut answer = match timeout(ANSWER_TIMEOUT, self.http.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                debug!(%error, url = %server, "request for {name} was not answered");
                let what = format!("{name} leads to {server}, which does not answer: {error}");
                return message(StatusCode::BAD_GATEWAY, &what);
            }
            Err(_) => {
                let what = format!("{name} leads to {server}, which has not answered in time");
                return message(StatusCode::GATEWAY_TIMEOUT, &what);
            }
        };
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS
            && let Some(of_child) = of_child
        {
            let of_server = upgrade::on(&mut answer);
            let stop = stop.clone();
            tasks.spawn(async move {
                let _permit = permit;
                let copying = async {
                    let (Ok(child), Ok(server)) = tokio::join!(of_child, of_server) else { return };
                    let (mut child, mut server) = (TokioIo::new(child), TokioIo::new(server));
                    let _ = copy_bidirectional(&mut child, &mut server).await;
                };
                stop.run_until_cancelled(copying).await;
            });
            return answer.map(|_| full(""));
        }
        remove_those_of_connection(answer.headers_mut());
        answer.map(|body| Watched::new(body).boxed_unsync())
    }

    fn permit(&self) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        Arc::clone(&self.upgrades).try_acquire_owned()
    }
}

/// The request as `server` gets it. None if its path makes no URI.
fn for_server(
    name: &str,
    server: &Url,
    request: Request<Incoming>,
    upgrade: Option<&HeaderValue>,
) -> Option<Request<Incoming>> {
    let (mut head, body) = request.into_parts();
    let has_host = head.uri.authority().is_none() && head.headers.contains_key(header::HOST);
    if !has_host {
        let host = head.uri.authority().map_or(name, Authority::as_str);
        head.headers.insert(header::HOST, HeaderValue::from_str(host).ok()?);
    }
    let path = head.uri.path_and_query().cloned();
    head.uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(server.authority())
        .path_and_query(path.unwrap_or_else(|| PathAndQuery::from_static("/")))
        .build()
        .ok()?;
    head.version = Version::HTTP_11;
    remove_those_of_connection(&mut head.headers);
    if let Some(upgrade) = upgrade {
        head.headers.insert(header::UPGRADE, upgrade.clone());
        head.headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    }
    // Only what hyper has noted of the connection of the child.
    head.extensions.clear();
    Some(Request::from_parts(head, body))
}

/// The protocol that the request asks for, if it asks for another one.
fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = headers.get_all(header::CONNECTION).iter().any(|value| {
        let value = value.to_str().unwrap_or_default();
        value.split(',').any(|word| word.trim().eq_ignore_ascii_case("upgrade"))
    });
    headers.get(header::UPGRADE).filter(|_| asks).cloned()
}

fn remove_those_of_connection(headers: &mut HeaderMap) {
    let values = headers.get_all(header::CONNECTION).iter();
    let words = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let named: Vec<_> = words.filter_map(|word| HeaderName::try_from(word.trim()).ok()).collect();
    for name in named.iter().chain(&OF_CONNECTION) {
        headers.remove(name);
    }
    headers.remove("proxy-connection");
}

impl fmt::Debug for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarding").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{remove_those_of_connection, upgrade_of};

    #[test]
    fn headers_of_one_connection_are_not_passed_on() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "Keep-Alive, X-Own"),
            ("x-own", "a"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "keep-alive"),
            ("transfer-encoding", "chunked"),
            ("authorization", "q-sign-algorithm=sha1"),
            ("content-length", "3"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        remove_those_of_connection(&mut headers);
        let mut left: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "content-length"]);
    }

    #[test]
    fn an_upgrade_is_one_only_with_both_headers() {
        let of = |connection: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("upgrade", HeaderValue::from_static("websocket"));
            headers.insert("connection", HeaderValue::from_static(connection));
            upgrade_of(&headers)
        };
        assert_eq!(of("keep-alive, Upgrade").unwrap(), "websocket");
        assert_eq!(of("keep-alive"), None);
        assert_eq!(upgrade_of(&HeaderMap::new()), None);
    }
}
