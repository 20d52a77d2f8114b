//! Many clients at once, functions that wait, and random numbers with a printed seed.

use std::{net::SocketAddr, sync::Arc};

use futures_util::{StreamExt, stream};
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_tungstenite::client_async;

use crate::support::{
    backend::{Backend, Reply},
    client::{Client, request},
};

/// Handshakes at once. The accept queue of the system holds no more than 128.
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

/// Makes a function wait: each permit ends one call.
pub(super) fn gate(backend: &Backend, function: &str) -> Arc<Semaphore> {
    let gate = Arc::new(Semaphore::new(0));
    let closed = Arc::clone(&gate);
    backend.on(function, move |_| {
        let gate = Arc::clone(&closed);
        async move {
            gate.acquire_owned().await.unwrap().forget();
            Reply::ok()
        }
    });
    gate
}

/// A random number generator whose seed is printed. `LONGHOLD_SEED` sets the seed.
pub(super) fn chance() -> fastrand::Rng {
    let seed = std::env::var("LONGHOLD_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("LONGHOLD_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}
