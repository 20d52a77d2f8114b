//! Keeps work on large bodies off the threads that serve all other connections.
//!
//! A task that reads megabytes of JSON holds its thread for tens of milliseconds, and all tasks of
//! the thread wait. One such work runs at a time, so that large bodies together have one processor
//! at most, and what a work needs beside its body is needed once.

use std::{future::pending, panic::resume_unwind};

use tokio::{sync::Semaphore, task::spawn_blocking};

/// With fewer bytes, a work takes less time than its way to another thread is worth.
const LARGE_BYTES: usize = 256 << 10;

/// Processors are those of the process, and so is this.
static TURN: Semaphore = Semaphore::const_new(1);

/// Does `work`, which reads or writes about so many `bytes`: at once if they are few, and otherwise
/// in its turn, on a thread for such work. Once such work has begun, it is done to its end, even if
/// the future is dropped.
pub async fn offload<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if bytes < LARGE_BYTES {
        return work();
    }
    let turn = TURN.acquire().await.expect("the semaphore is never closed");
    let done = spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    match done.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime shuts down, and this task with it.
        Err(Err(_)) => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use tokio::task::JoinSet;

    use super::{LARGE_BYTES, offload};

    const DEADLINE: Duration = Duration::from_secs(30);

    /// There is one thread for tasks. The work would never end if it were done there.
    #[tokio::test]
    async fn other_tasks_run_while_large_work_is_done() {
        let (sender, receiver) = mpsc::channel();
        let work = offload(LARGE_BYTES, move || receiver.recv_timeout(DEADLINE).unwrap());
        let other = async move { sender.send("other task").unwrap() };
        assert_eq!(tokio::join!(work, other).0, "other task");
    }

    #[tokio::test]
    async fn large_work_is_done_one_at_a_time() {
        let running = std::sync::Arc::new(std::sync::Mutex::new(()));
        let mut works = JoinSet::new();
        for _ in 0..50 {
            let running = running.clone();
            works.spawn(offload(LARGE_BYTES, move || running.try_lock().is_ok()));
        }
        assert!(works.join_all().await.into_iter().all(|was_alone| was_alone));
    }

    #[tokio::test]
    async fn a_panic_of_the_work_is_one_of_its_caller() {
        let work = tokio::spawn(offload(LARGE_BYTES, || panic!("a mistake")));
        assert!(work.await.unwrap_err().is_panic());
        assert_eq!(offload(LARGE_BYTES, || 1).await, 1);
    }
}
