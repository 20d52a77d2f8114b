//! Tunnels through the proxy: to a name of the cloud they lead back here, and to another one
//! outside.
//!
//! An address of this machine is refused: its servers would take the connection for one of the
//! runner.

use std::{io::Cursor, net::SocketAddr, pin::Pin, time::Duration};

use daemon::http::{Body, full, message};
use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, upgrade};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, copy_bidirectional, join, split},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::timeout,
};
use url::Url;

use super::{
    Names,
    asked::{is_own, is_this_machine},
    lookups::Lookups,
};
use crate::cloud::{Lead, LedNames};

/// How long it may take to find an address and to connect to it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the child may take to begin in a tunnel.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(60);
/// The first byte of a handshake of TLS.
pub(in super::super) const TLS: u8 = 0x16;

type Refusal = Box<Response<Body>>;

impl Names {
    /// Answers CONNECT. The tunnel is open until the child or the server closes it, or the instance
    /// ends.
    pub(super) async fn open_tunnel(
        &self,
        name: String,
        port: u16,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let Ok(permit) = std::sync::Arc::clone(&self.tunnels).try_acquire_owned() else {
            let what = "the process has too many tunnels; close some";
            return message(StatusCode::SERVICE_UNAVAILABLE, what);
        };
        match self.led.lead(&name) {
            Lead::Push | Lead::Api | Lead::Server(_) => {
                self.tasks.spawn(self.clone().lead_back(permit, request));
            }
            Lead::Nowhere(setting) => return LedNames::nowhere(&name, setting),
            Lead::Refused => return LedNames::refused(&name),
            Lead::Outside => match connect_outside(&self.lookups, &name, port).await {
                Ok(server) => {
                    self.tasks.spawn(self.clone().lead_outside(permit, request, server));
                }
                Err(refusal) => return *refusal,
            },
        }
        Response::new(full(""))
    }

    /// Boxed: what is served in the tunnel could open another one, as far as the compiler knows.
    fn lead_back(
        self,
        permit: OwnedSemaphorePermit,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let stop = self.stop.clone();
            let serving = async move {
                let _permit = permit;
                let Ok(Ok(child)) = timeout(BEGIN_TIMEOUT, upgrade::on(request)).await else {
                    return;
                };
                let mut child = TokioIo::new(child);
                let mut first = [0];
                let Ok(Ok(_)) = timeout(BEGIN_TIMEOUT, child.read_exact(&mut first)).await else {
                    return;
                };
                let is_tls = first == [TLS];
                let (read, write) = split(child);
                let child = join(Cursor::new(first).chain(read), write);
                if is_tls {
                    self.serve_tls(child, None).await;
                } else {
                    self.serve(child, None).await;
                }
            };
            stop.run_until_cancelled(serving).await;
        })
    }

    async fn lead_outside(
        self,
        permit: OwnedSemaphorePermit,
        request: Request<Incoming>,
        mut server: TcpStream,
    ) {
        let copying = async move {
            let _permit = permit;
            let Ok(Ok(child)) = timeout(BEGIN_TIMEOUT, upgrade::on(request)).await else { return };
            let _ = copy_bidirectional(&mut TokioIo::new(child), &mut server).await;
        };
        self.stop.run_until_cancelled(copying).await;
    }
}

async fn connect_outside(lookups: &Lookups, name: &str, port: u16) -> Result<TcpStream, Refusal> {
    let addresses = outside(lookups, name, port).await?;
    let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(&addresses[..])).await;
    match connected {
        Ok(Ok(server)) => Ok(server),
        Ok(Err(error)) => Err(unreachable(name, &error.to_string())),
        Err(_) => Err(unreachable(name, "it took too long to connect")),
    }
}

/// The server outside with this name, by its address.
pub(super) async fn server_outside(
    lookups: &Lookups,
    name: &str,
    port: u16,
) -> Result<Url, Refusal> {
    let addresses = outside(lookups, name, port).await?;
    let address = addresses.first().ok_or_else(|| unreachable(name, "it has no address"))?;
    // The interface that an address of IPv6 may name has no place in a URL.
    let address = SocketAddr::new(address.ip(), address.port());
    Url::parse(&format!("http://{address}")).map_err(|error| unreachable(name, &error.to_string()))
}

/// The addresses of a name outside. None of them is of this machine.
async fn outside(lookups: &Lookups, name: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
    let own = || {
        let what = format!("{name} is this machine: ask it without the proxy (NO_PROXY)");
        Box::new(message(StatusCode::FORBIDDEN, &what))
    };
    if is_this_machine(name) {
        return Err(own());
    }
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let found = lookups.addresses(bare, port, CONNECT_TIMEOUT).await;
    let found = found.map_err(|why| unreachable(name, &why))?;
    if found.iter().any(|address| is_own(address.ip())) {
        return Err(own());
    }
    Ok(found)
}

fn unreachable(name: &str, why: &str) -> Refusal {
    Box::new(message(StatusCode::BAD_GATEWAY, &format!("{name} cannot be reached: {why}")))
}
