//! Sending batches to one URL: what comes while a batch is on its way travels with the next one.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::Client;
use tokio::{sync::oneshot, time::timeout};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use url::Url;

use crate::{
    CONTENT_TYPE, OFFER, VERSION,
    wire::{Answer, Answers, Item},
};

/// Batches that may be on their way, not counting those that the server has begun to answer. More
/// than one, so that there is work at both ends.
const UNANSWERED_MAX: usize = 2;
/// A batch that is not answered for so long holds up the next one no longer.
const ANSWER_WAIT: Duration = Duration::from_millis(50);
/// Larger ones are sent alone: they gain nothing, and make others wait.
const ITEM_BYTES_MAX: usize = 64 << 10;
/// Far below what servers take.
const BATCH_BYTES_MAX: usize = 256 << 10;

/// Sends items to a URL, as batches. A handle; what is on its way ends with the last one.
#[derive(Debug, Clone)]
pub struct Batcher(Arc<Inner>, #[expect(dead_code, reason = "held, not read")] Arc<DropGuard>);

#[derive(Debug)]
struct Inner {
    http: Client,
    url: Url,
    /// How long a batch may take in all.
    limit: Duration,
    /// Whether the server takes batches.
    is_on: AtomicBool,
    state: Mutex<State>,
    tasks: TaskTracker,
    end: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    unanswered: usize,
    /// Whether an exchange goes on that is a request of its own.
    has_alone: bool,
}

/// Stands for an exchange that is a request of its own. While it lasts others go in batches.
#[derive(Debug)]
pub struct Alone(Arc<Inner>);

#[derive(Debug)]
struct Waiting {
    item: Item,
    answer: oneshot::Sender<Result<Answer, NoAnswer>>,
}

/// Why an item has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoAnswer {
    /// There was no connection: nobody has seen the item.
    #[error("could not connect")]
    NotSent(#[source] Arc<reqwest::Error>),
    /// The answer was not one to a batch. With a status of 4xx, or 503, nobody has looked at the
    /// items.
    #[error("batch was answered with HTTP {0}")]
    Refused(StatusCode),
    /// It took longer than the caller waits. Nobody knows what came of it.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The answer broke off before that of the item. Nobody knows what came of it.
    #[error("answer broke off")]
    Broken(#[source] Option<Arc<reqwest::Error>>),
}

impl Batcher {
    /// Sends to `url` by means of `http`, once the server has offered to take batches. After
    /// `limit` nobody waits any longer for any answer of a batch.
    pub fn new(http: Client, url: Url, limit: Duration) -> Self {
        let end = CancellationToken::new();
        let inner = Inner {
            http,
            url,
            limit,
            is_on: AtomicBool::new(false),
            state: Mutex::default(),
            tasks: TaskTracker::new(),
            end: end.clone(),
        };
        Self(Arc::new(inner), Arc::new(end.drop_guard()))
    }

    /// Reads in the headers of an answer whether its server takes batches.
    pub fn learn(&self, headers: &HeaderMap<HeaderValue>) {
        if headers.get(OFFER) == Some(&VERSION) && !self.0.is_on.load(Ordering::Relaxed) {
            self.0.is_on.store(true, Ordering::Relaxed);
        }
    }

    /// Whether an item with a body of `bytes` may be sent in a batch.
    pub fn takes(&self, bytes: usize) -> bool {
        bytes <= ITEM_BYTES_MAX && self.0.is_on.load(Ordering::Relaxed)
    }

    /// When nothing else is on its way: the caller had better send a request of its own, which is
    /// the quickest way then.
    pub fn alone(&self) -> Option<Alone> {
        let mut state = self.0.lock();
        let is_idle = !state.has_alone && state.unanswered == 0 && state.waiting.is_empty();
        is_idle.then(|| {
            state.has_alone = true;
            Alone(Arc::clone(&self.0))
        })
    }

    /// Sends `item`. Whoever no longer waits for an item that is not on its way yet takes it back.
    pub async fn exchange(&self, item: Item) -> Result<Answer, NoAnswer> {
        let (sender, answer) = oneshot::channel();
        let batch = {
            let mut state = self.0.lock();
            state.waiting.push(Waiting { item, answer: sender });
            let is_free = state.unanswered < UNANSWERED_MAX;
            is_free.then(|| state.begin()).flatten()
        };
        if let Some(batch) = batch {
            self.0.spawn(batch);
        }
        answer.await.unwrap_or(Err(NoAnswer::Broken(None)))
    }
}

impl Batcher {
    /// The same, and gives up after `limit`.
    pub async fn exchange_within(&self, limit: Duration, item: Item) -> Result<Answer, NoAnswer> {
        let exchange = timeout(limit, self.exchange(item)).await;
        exchange.unwrap_or(Err(NoAnswer::TimedOut(limit)))
    }
}

impl State {
    /// What is to go now, counted as unanswered.
    fn begin(&mut self) -> Option<Vec<Waiting>> {
        self.waiting.retain(|waiting| !waiting.answer.is_closed());
        let mut bytes = 0;
        let fits = |waiting: &&Waiting| {
            bytes += waiting.item.weight();
            bytes <= BATCH_BYTES_MAX
        };
        let count = self.waiting.iter().take_while(fits).count();
        if count == 0 {
            return None;
        }
        self.unanswered += 1;
        let rest = self.waiting.split_off(count);
        Some(mem::replace(&mut self.waiting, rest))
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.lock().has_alone = false;
    }
}

impl Inner {
    fn spawn(self: &Arc<Self>, batch: Vec<Waiting>) {
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            let end = inner.end.clone();
            tokio::select! {
                () = inner.send(batch) => {}
                () = end.cancelled() => {}
            }
        });
    }

    /// Sends `batch`, and tells everybody what came of it.
    async fn send(self: Arc<Self>, batch: Vec<Waiting>) {
        let mut body = BytesMut::new();
        let mut answers = Vec::with_capacity(batch.len());
        for Waiting { item, answer } in batch {
            item.encode(&mut body);
            answers.push(Some(answer));
        }
        let request = self
            .http
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .timeout(self.limit)
            .body(body.freeze());
        let no_answer = match self.response(request).await {
            Ok(response) if response.status() == StatusCode::OK => {
                receive(response, &mut answers).await
            }
            Ok(response) => {
                // It may be another server by now. The next answer says whether that takes them.
                self.is_on.store(false, Ordering::Relaxed);
                NoAnswer::Refused(response.status())
            }
            Err(error) if error.is_connect() => NoAnswer::NotSent(Arc::new(error.without_url())),
            Err(error) => NoAnswer::Broken(Some(Arc::new(error.without_url()))),
        };
        for answer in answers.into_iter().flatten() {
            let _ = answer.send(Err(no_answer.clone()));
        }
    }

    /// Waits for the response, and lets the next batch go when it is there or takes long.
    async fn response(
        self: &Arc<Self>,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let response = request.send();
        tokio::pin!(response);
        let prompt = timeout(ANSWER_WAIT, &mut response).await;
        let next = {
            let mut state = self.lock();
            state.unanswered -= 1;
            state.begin()
        };
        if let Some(next) = next {
            self.spawn(next);
        }
        match prompt {
            Ok(response) => response,
            Err(_) => response.await,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with the lock held")
    }
}

type Sender = oneshot::Sender<Result<Answer, NoAnswer>>;

/// Passes on the answers in `response`; then why those that are left have none.
async fn receive(mut response: reqwest::Response, answers: &mut [Option<Sender>]) -> NoAnswer {
    let mut received = Answers::default();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => received.push(&chunk),
            Ok(None) => return NoAnswer::Broken(None),
            Err(error) => return NoAnswer::Broken(Some(Arc::new(error.without_url()))),
        }
        loop {
            match received.next() {
                Ok(Some((place, answer))) => {
                    if let Some(sender) = answers.get_mut(place).and_then(Option::take) {
                        let _ = sender.send(Ok(answer));
                    }
                }
                Ok(None) => break,
                Err(_) => return NoAnswer::Broken(None),
            }
        }
    }
}
