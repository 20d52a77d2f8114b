//! Many clients at once.

use std::net::SocketAddr;

use futures_util::{StreamExt, stream};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;

use crate::support::client::{Client, request};

/// Handshakes at once. The system keeps no more than 128 that were not accepted yet.
const AT_ONCE: usize = 64;

/// Opens `count` connections; those that could not be opened are missing.
pub(super) async fn connect(address: SocketAddr, path: &str, count: usize) -> Vec<Client> {
    let one = |_| async move {
        let stream = TcpStream::connect(address).await.ok()?;
        let (socket, response) = client_async(request(address, path), stream).await.ok()?;
        Some(Client { socket, response })
    };
    let clients = stream::iter(0..count).map(one).buffer_unordered(AT_ONCE);
    clients.filter_map(|client| async move { client }).collect().await
}

/// A generator of chance whose seed is printed. `LONGHOLD_SEED` sets it.
pub(super) fn chance() -> fastrand::Rng {
    let seed = std::env::var("LONGHOLD_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("LONGHOLD_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}
