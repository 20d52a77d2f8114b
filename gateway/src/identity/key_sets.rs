//! Key sets at URLs. Each is fetched by a task of its own, and again when it gets old, or when a
//! token names a key that it does not have.
//!
//! While a set cannot be fetched, the last keys go on. Without any, nobody is let in.

mod fetch;
mod key_set;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
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

    /// Has the sets fetched that APIs with these settings need, and no others any more.
    pub(crate) fn follow(&self, apis: &[ApiSettings]) -> Result<(), reqwest::Error> {
        let needed: HashSet<_> = apis.iter().filter_map(url_of).collect();
        let mut sets = self.0.sets.lock().expect("nothing panics with the lock held");
        // All clients are made before anything changes.
        let new = needed.iter().filter(|url| !sets.contains_key(**url));
        let new = new.map(|url| Ok((*url, fetch::client(url, self.0.tls.as_ref())?)));
        let new: Vec<_> = new.collect::<Result<_, reqwest::Error>>()?;
        for (url, client) in new {
            let (set, cut) = (Arc::<KeySet>::default(), CancellationToken::new());
            let fetched = url.clone();
            let task = Arc::clone(&set).run(fetch::shown(url), move || {
                let (client, url) = (client.clone(), fetched.clone());
                async move { fetch::fetch(&client, &url).await }
            });
            self.0.tasks.spawn(cut.clone().run_until_cancelled_owned(task));
            sets.insert(url.clone(), Followed { set, cut });
        }
        sets.retain(|url, _| needed.contains(url));
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

fn url_of(api: &ApiSettings) -> Option<&Url> {
    match &api.auth {
        AuthSettings::Jwt(token) => match &token.keys {
            TokenKeySource::Url(url) => Some(url),
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
