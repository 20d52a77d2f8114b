//! Sends batches to one URL. Items that come while a batch is in flight are sent with the next one.

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
use tokio::{sync::oneshot, task::coop::consume_budget, time::timeout};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use url::Url;

use crate::{
    CONTENT_TYPE, OFFER, VERSION, server,
    wire::{Item, ItemResponse, Malformed, ResponseReader, TooLarge},
};

/// How many batches may be in flight before the server has begun to respond. More than one, so that
/// the server has a batch to work on while the client prepares the next one.
const UNANSWERED_MAX: usize = 2;
/// After this time without a response, a batch no longer counts as unanswered, and the next one may
/// be sent.
const ANSWER_WAIT: Duration = Duration::from_millis(50);
/// A server that takes batches begins its response at once, however long the items take. After this
/// time without one, no further batches are sent.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest body that is sent in a batch. A larger body gains nothing from a batch, and delays
/// the other items.
const ITEM_BYTES_MAX: usize = 64 << 10;
/// The largest batch. Servers accept larger ones.
const BATCH_BYTES_MAX: usize = 256 << 10;

/// A handle for sending items to one URL in batches. Dropping the last handle cancels the batches
/// in flight.
#[derive(Debug, Clone)]
pub struct Batcher(Arc<Inner>, #[expect(dead_code, reason = "held, not read")] Arc<DropGuard>);

#[derive(Debug)]
struct Inner {
    http: Client,
    url: Url,
    /// What each batch has beside its own headers.
    headers: HeaderMap,
    /// The time from sending a batch to the end of its response, at most.
    limit: Duration,
    /// Whether the server has offered to take batches.
    is_offered: AtomicBool,
    state: Mutex<State>,
    tasks: TaskTracker,
    end: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    /// Items for the next batches, in order.
    waiting: Vec<WaitingItem>,
    /// How many batches are in flight without a response yet.
    unanswered: usize,
    /// Whether a [`LoneExchange`] exists.
    has_alone: bool,
}

/// The guard of an exchange that its caller sends as a request of its own. Until it is dropped,
/// other items are sent in batches.
#[derive(Debug)]
pub struct LoneExchange(Arc<Inner>);

#[derive(Debug)]
struct WaitingItem {
    item: Item,
    response: Sender,
}

type Sender = oneshot::Sender<Result<ItemResponse, NoAnswer>>;

/// Why an item has no response.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoAnswer {
    /// The connection could not be made. The server has not received the item.
    #[error("could not connect")]
    NotSent(#[source] Arc<reqwest::Error>),
    /// The server no longer takes batches. The item was not sent.
    #[error("server takes no batches")]
    NotOffered,
    /// The batch was answered with status 200, but not with a batch: another server is at the URL,
    /// which took the whole batch for one request. No item was processed as an item.
    #[error("batch was answered with something else")]
    Foreign,
    /// The batch was answered with a status other than 200. With a status of 4xx or 503 no item
    /// was processed.
    #[error("batch was answered with HTTP {0}")]
    Refused(StatusCode),
    /// The response to the item is larger than 8 MiB. The item was processed.
    #[error("answer is larger than 8 MiB")]
    TooLarge,
    /// The response did not come within the caller's time limit. The item may have been processed.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The response of the batch broke off before the response of the item. The item may have been
    /// processed.
    #[error("answer broke off")]
    Broken(#[source] Option<Arc<reqwest::Error>>),
}

impl Batcher {
    /// A batcher that sends to `url` through `http`. Items that have no response when their batch
    /// has taken longer than `limit` get [`NoAnswer::Broken`].
    pub fn new(http: Client, url: Url, limit: Duration) -> Self {
        Self::with_headers(http, url, HeaderMap::new(), limit)
    }

    /// The same. Each batch has these headers beside its own.
    pub fn with_headers(http: Client, url: Url, headers: HeaderMap, limit: Duration) -> Self {
        let end = CancellationToken::new();
        let inner = Inner {
            http,
            url,
            headers,
            limit,
            is_offered: AtomicBool::new(false),
            state: Mutex::default(),
            tasks: TaskTracker::new(),
            end: end.clone(),
        };
        Self(Arc::new(inner), Arc::new(end.drop_guard()))
    }

    /// Looks for an offer to take batches in the headers of a response. The offer counts until a
    /// batch is not answered with a batch.
    pub fn learn(&self, headers: &HeaderMap<HeaderValue>) {
        if headers.get(OFFER) == Some(&VERSION) && !self.0.is_offered.load(Ordering::Relaxed) {
            self.0.is_offered.store(true, Ordering::Relaxed);
        }
    }

    /// Whether an item with a body of this many bytes may be sent in a batch.
    pub fn takes(&self, bytes: usize) -> bool {
        bytes <= ITEM_BYTES_MAX && self.0.is_offered.load(Ordering::Relaxed)
    }

    /// Some if no other exchange is in flight or waiting. The caller should then send its exchange
    /// as a request of its own, which is faster than a batch of one item.
    pub fn alone(&self) -> Option<LoneExchange> {
        let mut state = self.0.lock();
        let is_idle = !state.has_alone && state.unanswered == 0 && state.waiting.is_empty();
        is_idle.then(|| {
            state.has_alone = true;
            LoneExchange(Arc::clone(&self.0))
        })
    }

    /// Sends `item` in a batch. If the future is dropped before the batch is sent, the item is not
    /// sent. A batch whose futures have all been dropped is given up, and its socket is closed.
    pub async fn exchange(&self, item: Item) -> Result<ItemResponse, NoAnswer> {
        let (sender, response) = oneshot::channel();
        let batch = {
            let mut state = self.0.lock();
            if !self.0.is_offered.load(Ordering::Relaxed) {
                return Err(NoAnswer::NotOffered);
            }
            state.waiting.push(WaitingItem { item, response: sender });
            let is_free = state.unanswered < UNANSWERED_MAX;
            is_free.then(|| state.begin()).flatten()
        };
        if let Some(batch) = batch {
            self.0.spawn(batch);
        }
        response.await.unwrap_or(Err(NoAnswer::Broken(None)))
    }

    /// Like [`Self::exchange`], but gives [`NoAnswer::TimedOut`] after `limit`.
    pub async fn exchange_within(
        &self,
        limit: Duration,
        item: Item,
    ) -> Result<ItemResponse, NoAnswer> {
        let exchange = timeout(limit, self.exchange(item)).await;
        exchange.unwrap_or(Err(NoAnswer::TimedOut(limit)))
    }
}

impl State {
    /// Takes the items of the next batch and counts the batch as unanswered. None if no item waits.
    fn begin(&mut self) -> Option<Vec<WaitingItem>> {
        self.waiting.retain(|waiting| !waiting.response.is_closed());
        let mut bytes = 0;
        let fits = |waiting: &&WaitingItem| {
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

impl Drop for LoneExchange {
    fn drop(&mut self) {
        self.0.lock().has_alone = false;
    }
}

impl Inner {
    fn spawn(self: &Arc<Self>, batch: Vec<WaitingItem>) {
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            let end = inner.end.clone();
            tokio::select! {
                () = inner.send(batch) => {}
                () = end.cancelled() => {}
            }
        });
    }

    /// Sends `batch`, and gives each item its response or the reason why there is none.
    async fn send(self: Arc<Self>, batch: Vec<WaitingItem>) {
        let mut body = BytesMut::new();
        let mut senders = Vec::with_capacity(batch.len());
        for WaitingItem { item, response } in batch {
            item.encode(&mut body);
            senders.push(Some(response));
        }
        let request = self
            .http
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .timeout(self.limit)
            .body(body.freeze());
        let Some(response) = self.response(request, &mut senders).await else { return };
        let no_answer = match response {
            Ok(response) => match receive(response, &mut senders).await {
                Ok(no_answer) => no_answer,
                Err(_) => {
                    self.unlearn();
                    NoAnswer::Broken(None)
                }
            },
            Err(no_answer) => no_answer,
        };
        for sender in senders.into_iter().flatten() {
            let _ = sender.send(Err(no_answer.clone()));
        }
    }

    /// Waits for the response. Sends the next batch when the response has begun, or after
    /// [`ANSWER_WAIT`]. None if nobody waits any more.
    async fn response(
        self: &Arc<Self>,
        request: reqwest::RequestBuilder,
        senders: &mut [Option<Sender>],
    ) -> Option<Result<reqwest::Response, NoAnswer>> {
        let response = request.send();
        tokio::pin!(response);
        let prompt = timeout(ANSWER_WAIT, &mut response).await;
        // Before the next batch, which another server must not get.
        let prompt = prompt.map(|response| self.judge(response));
        let next = {
            let mut state = self.lock();
            state.unanswered -= 1;
            state.begin()
        };
        if let Some(next) = next {
            self.spawn(next);
        }
        if let Ok(judged) = prompt {
            return Some(judged);
        }
        let late = async {
            match timeout(ANSWER_TIMEOUT, response.as_mut()).await {
                Ok(response) => self.judge(response),
                Err(_) => {
                    self.unlearn();
                    self.judge(response.as_mut().await)
                }
            }
        };
        tokio::select! {
            judged = late => Some(judged),
            () = abandoned(senders) => None,
        }
    }

    /// The response, if it is one to a batch. Otherwise the server at the URL may have been
    /// replaced: the next response to a request of its own says whether the new one takes batches.
    fn judge(
        &self,
        response: Result<reqwest::Response, reqwest::Error>,
    ) -> Result<reqwest::Response, NoAnswer> {
        let no_answer = match response {
            Ok(response) if response.status() != StatusCode::OK => {
                NoAnswer::Refused(response.status())
            }
            Ok(response) if server::is_batch(response.headers()) => return Ok(response),
            Ok(_) => NoAnswer::Foreign,
            // No server has got the batch.
            Err(error) if error.is_connect() => {
                return Err(NoAnswer::NotSent(Arc::new(error.without_url())));
            }
            Err(error) => NoAnswer::Broken(Some(Arc::new(error.without_url()))),
        };
        self.unlearn();
        Err(no_answer)
    }

    /// No further batches are sent until the server offers again to take them.
    fn unlearn(&self) {
        let waiting = {
            let mut state = self.lock();
            self.is_offered.store(false, Ordering::Relaxed);
            mem::take(&mut state.waiting)
        };
        for WaitingItem { response, .. } in waiting {
            let _ = response.send(Err(NoAnswer::NotOffered));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with the lock held")
    }
}

/// Waits until nobody waits for any of these responses. The batch is dropped then, so that a server
/// that never answers does not keep its socket open.
async fn abandoned(senders: &mut [Option<Sender>]) {
    for sender in senders.iter_mut().flatten() {
        sender.closed().await;
    }
}

/// Sends each response of an item to its sender. Returns the reason for items without a response.
pub(crate) async fn receive(
    mut response: reqwest::Response,
    senders: &mut [Option<Sender>],
) -> Result<NoAnswer, Malformed> {
    let mut reader = ResponseReader::default();
    loop {
        let chunk = tokio::select! {
            biased;
            chunk = response.chunk() => chunk,
            () = abandoned(senders) => return Ok(NoAnswer::Broken(None)),
        };
        match chunk {
            Ok(Some(chunk)) => reader.push(&chunk),
            Ok(None) => return Ok(NoAnswer::Broken(None)),
            Err(error) => return Ok(NoAnswer::Broken(Some(Arc::new(error.without_url())))),
        }
        while let Some((index, response)) = reader.next_response()? {
            // Other tasks have their turns, however many responses are in the chunk.
            consume_budget().await;
            if let Some(sender) = senders.get_mut(index).and_then(Option::take) {
                let _ = sender.send(response.map_err(|TooLarge { .. }| NoAnswer::TooLarge));
            }
        }
    }
}
