//! The addresses that offer to take batches.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
    time::Duration,
};

use batch::{Batcher, OFFER};
use http::HeaderMap;
use reqwest::Client;
use tokio::sync::Semaphore;
use url::Url;

/// Longer than any call that somebody waits for.
const BATCH_TIMEOUT: Duration = Duration::from_secs(1000);
/// Exchanges of one address that are kept after their deadline, because an answer may still come.
/// Each may keep the socket of a batch open.
pub(crate) const LATE_MAX: usize = 16;

/// The addresses that offer to take batches. All clones are one.
#[derive(Debug, Clone, Default)]
pub(super) struct Batchers(Arc<RwLock<HashMap<Url, Batching>>>);

/// An address that offers to take batches.
#[derive(Debug, Clone)]
pub(super) struct Batching {
    pub(super) batcher: Batcher,
    /// One permit for each exchange that is kept for an answer that may come late.
    pub(super) late: Arc<Semaphore>,
}

impl Batchers {
    /// How an event of so many bytes is sent to `url` in a batch, if the address takes it.
    pub(super) fn of(&self, url: &Url, bytes: usize) -> Option<Batching> {
        let batchers = self.0.read().expect("no code panics while it holds this lock");
        batchers.get(url).filter(|it| it.batcher.takes(bytes)).cloned()
    }

    /// Notes whether the response of `url` offers to take batches, which `http` would send
    /// with the headers that `own` gives.
    pub(super) fn learn(
        &self,
        url: &Url,
        headers: &HeaderMap,
        http: &Client,
        own: impl FnOnce() -> HeaderMap,
    ) {
        if !headers.contains_key(OFFER) {
            return;
        }
        let known = self.0.read().expect("no code panics while it holds this lock");
        if let Some(batching) = known.get(url) {
            return batching.batcher.learn(headers);
        }
        drop(known);
        let mut batchers = self.0.write().expect("no code panics while it holds this lock");
        let new = || Batching {
            batcher: Batcher::with_headers(http.clone(), url.clone(), own(), BATCH_TIMEOUT),
            late: Arc::new(Semaphore::new(LATE_MAX)),
        };
        batchers.entry(url.clone()).or_insert_with(new).batcher.learn(headers);
    }
}
