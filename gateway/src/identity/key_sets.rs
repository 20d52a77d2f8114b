//! Key sets at URLs. Each is fetched by a task of its own, and again when it gets old, or when a
//! token names a key that it does not have.
//!
//! While a set cannot be fetched, the last keys stay in use for some time. Without any, nobody is
//! let in.

mod fetch;
mod key_set;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use daemon::tls::OutboundTls;
use jsonwebtoken::Header;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use self::key_set::KeySet;
use crate::{
    settings::{ApiSettings, AuthSettings, TokenKeySource},
    token_keys::TokenKeys,
};

/// The key sets of all APIs. All clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeySets(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    sets: Mutex<HashMap<Url, Followed>>,
    tasks: TaskTracker,
    /// TLS of the fetches, if it is not as usual.
    tls: Option<OutboundTls>,
}

/// A set with its task, which ends when this is dropped.
#[derive(Debug)]
struct Followed {
    set: Arc<KeySet>,
    cut: CancellationToken,
}

impl KeySets {
    /// Sets that are fetched with `tls`.
    pub(crate) fn new(tls: Option<OutboundTls>) -> Self {
        Self(Arc::new(Inner { tls, ..Inner::default() }))
    }

    /// Has the sets fetched that APIs with these settings need, and no others any more. Of several
    /// APIs with one set, the smallest `jwks_stale_max` counts.
    pub(crate) fn follow(&self, apis: &[ApiSettings]) -> Result<(), reqwest::Error> {
        let mut needed: HashMap<&Url, Duration> = HashMap::new();
        for (url, stale_max) in apis.iter().filter_map(set_of) {
            needed
                .entry(url)
                .and_modify(|least| *least = stale_max.min(*least))
                .or_insert(stale_max);
        }
        let mut sets = self.0.sets.lock().expect("nothing panics with the lock held");
        // All clients are made before anything changes.
        let new = needed.iter().filter(|(url, _)| !sets.contains_key(**url));
        let new = new.map(|(url, stale_max)| {
            Ok((*url, *stale_max, fetch::client(url, self.0.tls.as_ref())?))
        });
        let new: Vec<_> = new.collect::<Result<_, reqwest::Error>>()?;
        for (url, stale_max, client) in new {
            let (set, cut) = (Arc::new(KeySet::new(stale_max)), CancellationToken::new());
            let fetched = url.clone();
            let task = Arc::clone(&set).run(fetch::shown(url), move || {
                let (client, url) = (client.clone(), fetched.clone());
                async move { fetch::fetch(&client, &url).await }
            });
            self.0.tasks.spawn(cut.clone().run_until_cancelled_owned(task));
            sets.insert(url.clone(), Followed { set, cut });
        }
        sets.retain(|url, followed| match needed.get(url) {
            Some(stale_max) => {
                followed.set.set_stale_max(*stale_max);
                true
            }
            None => false,
        });
        Ok(())
    }

    /// The keys at `url` for a token with this header. They are fetched anew if none is for it.
    /// None if none were ever fetched.
    pub(super) async fn for_token(&self, url: &Url, header: &Header) -> Option<Arc<TokenKeys>> {
        let set = {
            let sets = self.0.sets.lock().expect("nothing panics with the lock held");
            Arc::clone(&sets.get(url)?.set)
        };
        set.for_token(header).await
    }

    /// Ends the tasks.
    pub(crate) async fn stop(&self) {
        self.0.sets.lock().expect("nothing panics with the lock held").clear();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

fn set_of(api: &ApiSettings) -> Option<(&Url, Duration)> {
    match &api.auth {
        AuthSettings::Jwt(token) => match &token.keys {
            TokenKeySource::Url(url) => Some((url, token.jwks_stale_max)),
            TokenKeySource::Fixed(_) => None,
        },
        AuthSettings::None | AuthSettings::Hmac(_) => None,
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.cut.cancel();
    }
}
