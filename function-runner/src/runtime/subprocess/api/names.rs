//! Requests of the child for the cloud's host names: by `Host`, over TLS, or through this listener
//! as a proxy. It serves the processes of its instance only, and is no proxy for others.
//!
//! Where the system does not tell whose a connection is, requests have to come through the proxy,
//! with the credentials of the instance.

mod asked;
mod lookups;
mod tunnel;

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use daemon::{
    credentials::AccessToken,
    http::{Body, message},
    path::normal,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::{body::Incoming, service::service_fn};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::debug;

use self::lookups::Lookups;
pub(super) use self::{
    asked::{Asked, asked},
    tunnel::TLS,
};
use super::{idle::Use, push::ChildPushes, serve::serve_until};
use crate::cloud::{Lead, LedNames};

/// How long a connection may take for its next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);
/// How long the handshake of TLS may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many tunnels an instance may have.
const TUNNELS_MAX: usize = 64;
/// The user in the address of the proxy. The password is what counts.
const USER: &str = "instance";

/// Answers requests for names. A handle.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) led: LedNames,
    pushes: ChildPushes,
    /// What requests through the proxy have to carry, if the system does not tell whose a
    /// connection is.
    secret: Option<AccessToken>,
    tunnels: Arc<Semaphore>,
    lookups: Lookups,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Names {
    pub(super) fn new(
        led: LedNames,
        pushes: ChildPushes,
        secret: Option<AccessToken>,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let tunnels = Arc::new(Semaphore::new(TUNNELS_MAX));
        Self { led, pushes, secret, tunnels, lookups: Lookups::new(), tasks, stop }
    }

    /// The address of the proxy at `port`, with the credentials of the instance if they are needed.
    pub(super) fn proxy(&self, port: u16) -> String {
        let user = self.secret.as_ref().map(|secret| format!("{USER}:{}@", secret.reveal()));
        format!("http://{}127.0.0.1:{port}", user.unwrap_or_default())
    }

    /// Whether our bootstraps can connect by themselves.
    pub(super) fn knows_connections(&self) -> bool {
        self.secret.is_none()
    }

    /// Answers a request that asks for a name, and not for the listener itself.
    pub(super) async fn answer(&self, asked: Asked, request: Request<Incoming>) -> Response<Body> {
        match asked {
            Asked::Listener => message(StatusCode::MISDIRECTED_REQUEST, "this is not its listener"),
            Asked::Name(_) if self.secret.is_some() => {
                let what = "the system does not tell whose connection this is: use the proxy of \
                            http_proxy";
                message(StatusCode::FORBIDDEN, what)
            }
            Asked::Name(name) => self.answer_for(&name, None, request).await,
            Asked::Proxied { ref name, .. } | Asked::Tunnel { ref name, .. }
                if !self.has_credentials(&request) =>
            {
                self.led.without_credentials(name);
                credentials_wanted()
            }
            Asked::Proxied { name, port } => self.answer_for(&name, Some(port), request).await,
            Asked::Tunnel { name, port } => self.open_tunnel(name, port, request).await,
            Asked::Invalid(what) => message(StatusCode::BAD_REQUEST, what),
        }
    }

    /// Answers a request for `name`. `port` is that of a request through the proxy.
    async fn answer_for(
        &self,
        name: &str,
        port: Option<u16>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        match self.led.lead(name) {
            Lead::Push => {
                let path = normal(request.uri().path()).into_owned();
                let id = path.trim_matches('/');
                self.pushes.push_to(self.led.api_for(id), request).await
            }
            Lead::Api => self.led.act(request).await,
            Lead::Server(server) => {
                self.led.forward(name, &server, request, &self.tasks, &self.stop).await
            }
            Lead::Nowhere(setting) => LedNames::nowhere(name, setting),
            Lead::Refused => LedNames::refused(name),
            Lead::Outside => match port {
                None => message(StatusCode::MISDIRECTED_REQUEST, "this name does not lead here"),
                Some(port) => match tunnel::server_outside(&self.lookups, name, port).await {
                    Ok(server) => {
                        self.led.forward(name, &server, request, &self.tasks, &self.stop).await
                    }
                    Err(refusal) => *refusal,
                },
            },
        }
    }

    fn has_credentials<B>(&self, request: &Request<B>) -> bool {
        let matches = |secret: &AccessToken| has_password(request.headers(), secret);
        self.secret.as_ref().is_none_or(matches)
    }

    /// Serves requests for names on `io`, within TLS of this listener or a tunnel, until the stop.
    async fn serve<S>(self, io: S, used: Option<Arc<Use>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stop, names) = (self.stop.clone(), self);
        let gives_way = used.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (names, used) = (names.clone(), used.clone());
            async move {
                if let Some(used) = &used {
                    used.push_begins();
                }
                let answer = names.answer_within(request).await;
                if let Some(used) = &used {
                    used.push_ends();
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let gives_way = async {
            match gives_way {
                Some(used) => used.gives_way().await,
                None => pending().await,
            }
        };
        let ended = serve_until(io, service, HEAD_TIMEOUT, gives_way, &stop).await;
        if let Some(Err(error)) = ended {
            debug!(%error, "connection for a name of the cloud ended early");
        }
    }

    /// Answers a request within TLS or a tunnel, whose credentials were those of the tunnel.
    async fn answer_within(&self, request: Request<Incoming>) -> Response<Body> {
        match asked(&self.led, None, &request) {
            Asked::Name(name) => self.answer_for(&name, None, request).await,
            Asked::Proxied { name, .. } if self.led.has(&name) => {
                self.answer_for(&name, None, request).await
            }
            Asked::Proxied { .. } | Asked::Tunnel { .. } | Asked::Listener => {
                message(StatusCode::MISDIRECTED_REQUEST, "this name does not lead here")
            }
            Asked::Invalid(what) => message(StatusCode::BAD_REQUEST, what),
        }
    }

    /// Serves a connection that begins with TLS. Who is at its other end has been found out: by the
    /// system, or by the credentials of a tunnel.
    pub(super) async fn serve_tls<S>(self, stream: S, used: Option<Arc<Use>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(tls) = self.led.tls().cloned() else { return };
        // The end of the instance waits for its connections, and not for a handshake.
        let handshake = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream));
        match self.stop.run_until_cancelled(handshake).await {
            Some(Ok(Ok(stream))) => self.serve(stream, used).await,
            Some(Ok(Err(error))) => debug!(%error, "handshake for a name of the cloud failed"),
            Some(Err(_)) => debug!("handshake for a name of the cloud took too long"),
            None => {}
        }
    }
}

/// Whether the credentials for a proxy in `headers` have `secret` for a password.
fn has_password(headers: &HeaderMap, secret: &AccessToken) -> bool {
    let given = || {
        let value = headers.get(header::PROXY_AUTHORIZATION)?.to_str().ok()?;
        let (scheme, text) = value.split_once(' ')?;
        let text = String::from_utf8(BASE64_STANDARD.decode(text.trim()).ok()?).ok()?;
        let (_, password) = text.split_once(':')?;
        Some(scheme.eq_ignore_ascii_case("basic") && secret.matches(password))
    };
    given().unwrap_or(false)
}

fn credentials_wanted() -> Response<Body> {
    let what = "send Proxy-Authorization with the user and the password in http_proxy";
    let mut answer = message(StatusCode::PROXY_AUTHENTICATION_REQUIRED, what);
    let challenge = HeaderValue::from_static("Basic realm=\"longhold\"");
    answer.headers_mut().insert(header::PROXY_AUTHENTICATE, challenge);
    answer
}

/// Whether the connection of `answer` to a request of `method` goes on as something else.
pub(super) fn switches(method: &Method, answer: &Response<Body>) -> bool {
    let is_tunnel = *method == Method::CONNECT && answer.status().is_success();
    is_tunnel || answer.status() == StatusCode::SWITCHING_PROTOCOLS
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use daemon::credentials::AccessToken;
    use http::{HeaderMap, HeaderValue, StatusCode, header};

    use super::{credentials_wanted, has_password};

    #[test]
    fn the_proxy_wants_the_secret_of_the_instance_as_the_password() {
        let secret = AccessToken::random();
        let encoded = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        let own = encoded(&format!("instance:{}", secret.reveal()));
        let others = encoded(&format!("instance:{}", AccessToken::random().reveal()));
        let bearer = own.replace("Basic", "Bearer");
        for (value, is_known) in [
            (Some(own.as_str()), true),
            (Some(&own.replace("Basic", "basic")), true),
            (Some(&others), false),
            (Some(&encoded(secret.reveal())), false),
            (Some(&bearer), false),
            (Some("Basic"), false),
            (Some("Basic %%%"), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                let value = HeaderValue::from_str(value).unwrap();
                headers.insert(header::PROXY_AUTHORIZATION, value);
            }
            assert_eq!(has_password(&headers, &secret), is_known, "{value:?}");
        }
        let answer = credentials_wanted();
        assert_eq!(answer.status(), StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        assert!(answer.headers().contains_key(header::PROXY_AUTHENTICATE));
    }
}
