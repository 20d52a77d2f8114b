//! A batch of many items leaves the thread to other tasks again and again.

use std::{
    iter,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::BytesMut;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use tokio::{
    sync::{Semaphore, oneshot},
    task::{JoinHandle, yield_now},
};

use crate::{ItemResponse, client::receive, server};

const ITEMS: usize = 5000;
/// How many items there may be between two turns of another task.
const ITEMS_PER_TURN: usize = 128;

/// Counts its turns on the only thread.
struct OtherTask {
    turns: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl OtherTask {
    fn start() -> Self {
        let turns = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&turns);
        let task = tokio::spawn(async move {
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        });
        Self { turns, task }
    }

    fn turns(&self) -> usize {
        self.turns.load(Ordering::Relaxed)
    }
}

impl Drop for OtherTask {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `seen` has the turns of the other task as each item saw them.
fn check(seen: &[usize]) {
    assert_eq!(seen.len(), ITEMS);
    let longest = seen.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap();
    assert!(longest <= ITEMS_PER_TURN, "{longest} items without a turn of another task");
}

#[tokio::test]
async fn other_tasks_have_turns_while_exchanges_start_and_while_they_end() {
    let other = Arc::new(OtherTask::start());
    let (started, ended) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
    let go = Arc::new(Semaphore::new(0));
    let exchanges = iter::repeat_n((), ITEMS).map(|()| {
        started.lock().unwrap().push(other.turns());
        let (other, ended, go) = (Arc::clone(&other), Arc::clone(&ended), Arc::clone(&go));
        async move {
            go.acquire().await.unwrap().forget();
            ended.lock().unwrap().push(other.turns());
            ItemResponse { status: 200, body: "x".into() }
        }
        .boxed()
    });
    let response = server::answer(exchanges).await;
    check(&started.lock().unwrap());
    // All at once.
    go.add_permits(ITEMS);
    response.into_body().collect().await.unwrap();
    check(&ended.lock().unwrap());
}

/// One exchange needs all turns of its task for itself, and the others are ready meanwhile.
#[tokio::test]
async fn exchanges_that_are_ready_are_not_polled_for_nothing() {
    let polls = Arc::<AtomicUsize>::default();
    let go = Arc::new(Semaphore::new(0));
    let exchanges = iter::repeat_n((), ITEMS).map(|()| {
        let (polls, go) = (Arc::clone(&polls), Arc::clone(&go));
        let mut exchange = Box::pin(async move {
            go.acquire().await.unwrap().forget();
            ItemResponse { status: 200, body: "x".into() }
        });
        std::future::poll_fn(move |context| {
            polls.fetch_add(1, Ordering::Relaxed);
            exchange.poll_unpin(context)
        })
        .boxed()
    });
    let response = server::answer(exchanges).await;
    go.add_permits(ITEMS);
    response.into_body().collect().await.unwrap();
    let polls = polls.load(Ordering::Relaxed);
    assert!(polls <= 3 * ITEMS, "{polls} polls of {ITEMS} exchanges");
}

#[tokio::test]
async fn other_tasks_have_turns_while_responses_are_read() {
    let other = OtherTask::start();
    let mut responses = BytesMut::new();
    let response = ItemResponse { status: 200, body: "x".into() };
    (0..ITEMS).for_each(|index| response.encode(index, &mut responses));
    let (mut senders, _receivers): (Vec<_>, Vec<_>) = iter::repeat_with(|| {
        let (sender, receiver) = oneshot::channel();
        (Some(sender), receiver)
    })
    .take(ITEMS)
    .unzip();
    let response = http::Response::new(responses.to_vec()).into();
    receive(response, &mut senders).await.unwrap();
    assert!(senders.iter().all(Option::is_none));
    assert!(other.turns() >= ITEMS / ITEMS_PER_TURN, "{} turns", other.turns());
}
