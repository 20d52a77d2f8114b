//! The peers of an attack. Each connects, writes what its group says, and then holds the
//! connection.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

/// How long a peer waits for the answer to its connect. It may be in the queue of the system.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The mean pause before a peer whose connection was closed begins again. With a shorter one the
/// peers would take the processors of the machine that they share with those who are measured. The
/// pauses differ by half: peers that begin again together would take both processors for a moment,
/// however little the target does.
const AGAIN: Duration = Duration::from_secs(1);
/// Between two bytes of a peer that sends slowly.
const DRIP: Duration = Duration::from_secs(1);
/// How long an orchestrator waits for an answer to its question about health.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// Peers that do the same.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) address: SocketAddr,
    pub(super) count: usize,
    /// Written at once.
    pub(super) first: Bytes,
    /// Written after an answer to the first bytes has begun.
    pub(super) then: Bytes,
    pub(super) hold: Hold,
}

/// What a peer does after it has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Reads nothing.
    Unread,
    /// Reads until the other side closes, and begins again.
    Reading,
    /// Sends one byte each second, and begins again when the other side closes.
    Dripping,
}

/// All peers of an attack. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Peers {
    tasks: JoinSet<()>,
    held: Arc<AtomicUsize>,
}

impl Peers {
    /// Begins the attack. Returns when all peers have written, or after `seconds`.
    pub(super) async fn begin(groups: Vec<Group>, seconds: f64) -> Self {
        let (mut tasks, held) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        let count: usize = groups.iter().map(|group| group.count).sum();
        for group in groups {
            for _ in 0..group.count {
                tasks.spawn(group.clone().run(Arc::clone(&held)));
            }
        }
        let give_up = Instant::now() + Duration::from_secs_f64(seconds.max(1.0));
        while held.load(Ordering::Relaxed) < count && Instant::now() < give_up {
            sleep(Duration::from_millis(20)).await;
        }
        Self { tasks, held }
    }

    /// How often a peer has written what it had to write.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.tasks.abort_all();
    }
}

impl Group {
    async fn run(self, held: Arc<AtomicUsize>) {
        loop {
            // A refused peer tries again, as an attacker does.
            let _ = self.hold_once(&held).await;
            sleep(AGAIN.mul_f64(fastrand::f64() + 0.5)).await;
        }
    }

    async fn hold_once(&self, held: &AtomicUsize) -> std::io::Result<()> {
        let mut stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(self.address)).await??;
        if self.hold == Hold::Unread {
            // The write may wait for as long as the attack lasts.
            held.fetch_add(1, Ordering::Relaxed);
            stream.write_all(&self.first).await?;
            return std::future::pending().await;
        }
        stream.write_all(&self.first).await?;
        let mut bytes = vec![0; 4 << 10];
        if !self.then.is_empty() {
            if stream.read(&mut bytes).await? == 0 {
                return Ok(());
            }
            stream.write_all(&self.then).await?;
        }
        held.fetch_add(1, Ordering::Relaxed);
        loop {
            let read = if self.hold == Hold::Dripping {
                timeout(DRIP, stream.read(&mut bytes)).await
            } else {
                Ok(stream.read(&mut bytes).await)
            };
            match read {
                Ok(Ok(0) | Err(_)) => return Ok(()),
                Ok(Ok(_)) => {}
                Err(_) => stream.write_all(b"x").await?,
            }
        }
    }
}

/// Whether `/healthz` of a listener answers 200 in the time that an orchestrator allows.
pub(super) async fn is_healthy(address: SocketAddr) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer == *b"HTTP/1.1 200")
    };
    matches!(timeout(HEALTH_TIMEOUT, asking).await, Ok(Ok(true)))
}
