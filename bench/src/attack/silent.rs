//! A service that takes every request and never answers: a function that hangs.

use std::net::SocketAddr;

use tokio::{io::AsyncReadExt, net::TcpListener, task::JoinHandle, task::JoinSet};

/// Ends with the value.
#[derive(Debug)]
pub(super) struct SilentService {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl SilentService {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut bytes = vec![0; 16 << 10];
                    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for SilentService {
    fn drop(&mut self) {
        self.task.abort();
    }
}
