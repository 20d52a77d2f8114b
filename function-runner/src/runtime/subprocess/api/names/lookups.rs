//! Look-ups of names outside, for the proxy.
//!
//! Each takes a thread of the process until the system has answered, also when nobody waits for it
//! any more. The system may take long, and pushes need such threads too.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

/// How many look-ups one instance may have.
const INSTANCE_MAX: usize = 8;
/// How many all instances together may have: far fewer than the threads of the process.
const ALL_MAX: usize = 64;
static ALL: Semaphore = Semaphore::const_new(ALL_MAX);

/// Look-ups of one instance. A handle.
#[derive(Debug, Clone)]
pub(super) struct Lookups(Arc<Semaphore>);

impl Lookups {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(INSTANCE_MAX)))
    }

    /// The addresses of `name`, or why there are none. Waits for `limit` at most.
    pub(super) async fn addresses(
        &self,
        name: &str,
        port: u16,
        limit: Duration,
    ) -> Result<Vec<SocketAddr>, String> {
        let name = name.to_owned();
        self.run(limit, move || Ok((&*name, port).to_socket_addrs()?.collect())).await
    }

    async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        look_up: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let Ok(of_instance) = Arc::clone(&self.0).try_acquire_owned() else {
            return Err(format!("the process has {INSTANCE_MAX} names looked up already"));
        };
        let Ok(of_all) = ALL.try_acquire() else {
            return Err(format!("all functions have {ALL_MAX} names looked up already"));
        };
        let looking = spawn_blocking(move || {
            let _permits = (of_instance, of_all);
            look_up()
        });
        match timeout(limit, looking).await {
            Ok(Ok(found)) => found.map_err(|error| error.to_string()),
            Ok(Err(_)) => Err("its address could not be found".to_owned()),
            Err(_) => Err("it took too long to find its address".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::yield_now;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    /// Nobody waits any more, and the threads are still taken.
    #[tokio::test]
    async fn a_look_up_counts_until_the_system_has_answered() {
        let lookups = Lookups::new();
        let mut answers = Vec::new();
        for _ in 0..INSTANCE_MAX {
            let (answer, answered) = mpsc::channel::<()>();
            let given_up = lookups.run(Duration::ZERO, move || {
                let _ = answered.recv();
                Ok(())
            });
            assert_eq!(given_up.await, Err("it took too long to find its address".to_owned()));
            answers.push(answer);
        }
        let refused = lookups.run(LONG, || Ok(())).await;
        assert_eq!(refused, Err("the process has 8 names looked up already".to_owned()));
        assert_eq!(Lookups::new().run(LONG, || Ok(1)).await, Ok(1), "another instance");
        answers.pop();
        while lookups.run(LONG, || Ok(())).await.is_err() {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn addresses_are_found() {
        let found = Lookups::new().addresses("127.0.0.1", 80, LONG).await.unwrap();
        assert_eq!(found, ["127.0.0.1:80".parse().unwrap()]);
    }
}
