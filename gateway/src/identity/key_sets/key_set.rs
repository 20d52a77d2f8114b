//! One key set: its last keys, and when it is fetched.

use std::{sync::Arc, time::Duration};

use jsonwebtoken::Header;
use tokio::{
    select,
    sync::{Notify, watch},
    time::{Instant, sleep_until, timeout},
};
use tracing::{error, info, warn};

use super::fetch::{FETCH_TIMEOUT, Fetched};
use crate::token_keys::{NoKey, TokenKeys};

/// Between the end of a fetch and the next one that a token may cause.
const ASK_PAUSE: Duration = Duration::from_secs(5);
/// Between fetches that fail: the first pause, doubled up to the last one.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);

/// The keys at one URL.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    state: watch::Sender<State>,
    /// A token needs keys that are not there.
    wanted: Notify,
}

#[derive(Debug, Default)]
struct State {
    keys: Option<Arc<TokenKeys>>,
    /// How many fetches have ended.
    fetches: u64,
    /// When a token may cause the next fetch. None while one is under way.
    free_at: Option<Instant>,
}

/// What the log has said last.
#[derive(Debug, Default, PartialEq, Eq)]
enum Said {
    #[default]
    Nothing,
    Fetched,
    Failed(String),
}

impl KeySet {
    /// Fetches again and again. `name` is for the log.
    pub(super) async fn run<F>(self: Arc<Self>, name: String, fetch: impl Fn() -> F)
    where
        F: Future<Output = Result<Fetched, String>>,
    {
        let (mut said, mut retry) = (Said::Nothing, RETRY_PAUSE);
        loop {
            self.state.send_modify(|state| state.free_at = None);
            let fetched = fetch().await;
            let now = Instant::now();
            self.report(&name, &fetched, &mut said);
            let pause = match &fetched {
                Ok(fetched) => {
                    retry = RETRY_PAUSE;
                    fetched.fresh_for
                }
                Err(_) => {
                    let pause = retry;
                    retry = RETRY_PAUSE_MAX.min(2 * retry);
                    pause
                }
            };
            self.state.send_modify(|state| {
                if let Ok(fetched) = fetched {
                    state.keys = Some(Arc::new(fetched.keys));
                }
                state.fetches += 1;
                state.free_at = Some(now + ASK_PAUSE);
            });
            let asked = async {
                sleep_until(now + ASK_PAUSE).await;
                self.wanted.notified().await;
            };
            select! {
                () = sleep_until(now + pause) => {}
                () = asked => {}
            }
        }
    }

    /// The keys, fetched anew if none is for a token with this header and it is not too soon.
    pub(super) async fn for_token(&self, header: &Header) -> Option<Arc<TokenKeys>> {
        let mut states = self.state.subscribe();
        let fetches = {
            let state = states.borrow_and_update();
            let has_key =
                |keys: &Arc<TokenKeys>| !matches!(keys.for_token(header), Err(NoKey::Unknown));
            let too_soon = state.free_at.is_some_and(|at| Instant::now() < at);
            if too_soon || state.keys.as_ref().is_some_and(has_key) {
                return state.keys.clone();
            }
            if state.free_at.is_some() {
                self.wanted.notify_one();
            }
            state.fetches
        };
        // The fetch has a deadline of its own. If it never comes, the last keys count.
        let fetched = states.wait_for(|state| state.fetches > fetches);
        let _ = timeout(2 * FETCH_TIMEOUT, fetched).await;
        self.state.borrow().keys.clone()
    }

    /// Says once for each change how it stands.
    fn report(&self, name: &str, fetched: &Result<Fetched, String>, said: &mut Said) {
        let now = match fetched {
            Ok(_) => Said::Fetched,
            Err(problem) => Said::Failed(problem.clone()),
        };
        if now == *said {
            return;
        }
        match fetched {
            Ok(Fetched { keys, left_out, .. }) => {
                info!(keys = keys.len(), ?left_out, "the keys at {name} were fetched");
            }
            Err(problem) if self.state.borrow().keys.is_some() => {
                warn!(problem, "the keys at {name} cannot be fetched: the last ones stay in use");
            }
            Err(problem) => {
                error!(
                    problem,
                    "the keys at {name} cannot be fetched: clients that need them are refused with \
                     503 until they can"
                );
            }
        }
        *said = now;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use jsonwebtoken::Algorithm;
    use serde_json::json;
    use tokio::time::{advance, sleep};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// A key set whose issuer is the test.
    #[derive(Default)]
    struct Issuer {
        fetches: AtomicUsize,
        /// The ids of its keys. None while it is away.
        keys: Mutex<Option<Vec<&'static str>>>,
    }

    fn keys(ids: &[&str]) -> TokenKeys {
        let key = |id| {
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": id,
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
        };
        let set = json!({ "keys": ids.iter().map(key).collect::<Vec<_>>() });
        TokenKeys::of_set(set.to_string().as_bytes()).unwrap().0
    }

    impl Issuer {
        fn offers(&self, ids: &[&'static str]) {
            *self.keys.lock().unwrap() = Some(ids.to_vec());
        }

        fn start(self: &Arc<Self>) -> Arc<KeySet> {
            let (set, issuer) = (Arc::<KeySet>::default(), Arc::clone(self));
            let run = Arc::clone(&set).run("a.example".to_owned(), move || {
                issuer.fetches.fetch_add(1, Ordering::Relaxed);
                let ids = issuer.keys.lock().unwrap().clone();
                async move {
                    sleep(Duration::from_millis(10)).await;
                    let ids = ids.ok_or("away")?;
                    Ok(Fetched { keys: keys(&ids), left_out: Vec::new(), fresh_for: HOUR })
                }
            });
            // Ends with the runtime of the test.
            tokio::spawn(run);
            set
        }

        fn fetches(&self) -> usize {
            self.fetches.load(Ordering::Relaxed)
        }
    }

    fn token(kid: &str) -> Header {
        Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) }
    }

    /// Whether there is a key for a token that names it.
    async fn has(set: &KeySet, kid: &str) -> bool {
        let keys = set.for_token(&token(kid)).await;
        keys.is_some_and(|keys| keys.for_token(&token(kid)).is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_waits_for_the_first_fetch_and_a_new_key_is_fetched_when_a_token_names_it() {
        let issuer = Arc::new(Issuer::default());
        issuer.offers(&["one"]);
        let set = issuer.start();
        assert!(has(&set, "one").await);
        issuer.offers(&["two"]);
        // Forged names cause no more than one fetch in this time.
        for _ in 0..10 {
            assert!(!has(&set, "two").await);
        }
        assert_eq!(issuer.fetches(), 1);
        advance(ASK_PAUSE).await;
        assert!(has(&set, "two").await);
        assert!(!has(&set, "one").await);
        assert_eq!(issuer.fetches(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_fetched_again_when_they_get_old_and_go_on_while_the_issuer_is_away() {
        let issuer = Arc::new(Issuer::default());
        issuer.offers(&["one"]);
        let set = issuer.start();
        assert!(has(&set, "one").await);
        *issuer.keys.lock().unwrap() = None;
        sleep(HOUR + Duration::from_secs(30)).await;
        assert!(issuer.fetches() > 3, "{}", issuer.fetches());
        assert!(has(&set, "one").await);
        issuer.offers(&["two"]);
        sleep(RETRY_PAUSE_MAX + Duration::from_secs(1)).await;
        assert!(!has(&set, "one").await && has(&set, "two").await);
    }

    #[tokio::test(start_paused = true)]
    async fn without_any_keys_nobody_is_let_in_until_they_are_fetched() {
        let issuer = Arc::new(Issuer::default());
        let set = issuer.start();
        assert!(set.for_token(&token("one")).await.is_none());
        issuer.offers(&["one"]);
        sleep(RETRY_PAUSE + Duration::from_secs(1)).await;
        assert!(has(&set, "one").await);
    }
}
