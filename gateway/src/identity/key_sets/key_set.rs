//! One key set: its last keys, and when it is fetched.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jsonwebtoken::Header;
use tokio::{
    select,
    sync::{Notify, Semaphore, watch},
    time::{Instant, sleep_until, timeout},
};
use tracing::{error, info, warn};

use super::fetch::{FETCH_TIMEOUT, Fetched};
use crate::token_keys::{NoKey, TokenKeys};

/// Between the end of a fetch and the next one that a token may cause.
const ASK_PAUSE: Duration = Duration::from_secs(5);
/// How many clients wait for a fetch at once. Each holds a connection of the listener, and whoever
/// sends a forged token waits too.
const WAITING_MAX: usize = 64;
/// How long a client waits for a fetch while there are keys, none of which is for its token.
const NEW_KEY_TIMEOUT: Duration = Duration::from_secs(1);
/// Between fetches that fail: the first pause, doubled up to the last one.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);

/// The keys at one URL.
#[derive(Debug)]
pub(super) struct KeySet {
    state: watch::Sender<State>,
    /// A token needs keys that are not there.
    wanted: Notify,
    /// One permit for each client that may wait for a fetch.
    waiting: Semaphore,
    /// How long keys are used after the last fetch that succeeded.
    stale_max: Mutex<Duration>,
}

#[derive(Debug, Default)]
struct State {
    keys: Option<Arc<TokenKeys>>,
    /// When the keys were fetched.
    fetched_at: Option<Instant>,
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
    Fetched {
        keys: usize,
        left_out: Vec<String>,
    },
    Failed {
        problem: String,
        /// Whether keys are in use.
        has_keys: bool,
    },
}

impl KeySet {
    /// A set that is not fetched yet. Its keys are used for `stale_max` after they were fetched.
    pub(super) fn new(stale_max: Duration) -> Self {
        Self {
            state: watch::Sender::default(),
            wanted: Notify::new(),
            waiting: Semaphore::new(WAITING_MAX),
            stale_max: Mutex::new(stale_max),
        }
    }

    pub(super) fn set_stale_max(&self, stale_max: Duration) {
        *self.stale_max.lock().expect("nothing panics with the lock held") = stale_max;
    }

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
            let (pause, outcome) = match fetched {
                Ok(Fetched { keys, left_out, fresh_for }) => {
                    retry = RETRY_PAUSE;
                    let outcome = Said::Fetched { keys: keys.len(), left_out };
                    self.ended(now, Some(keys));
                    (fresh_for, outcome)
                }
                Err(problem) => {
                    let pause = retry;
                    retry = RETRY_PAUSE_MAX.min(2 * retry);
                    self.ended(now, None);
                    let has_keys = self.state.borrow().keys.is_some();
                    (pause, Said::Failed { problem, has_keys })
                }
            };
            if outcome != said {
                report(&name, &outcome);
                said = outcome;
            }
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

    /// A fetch has ended at `now`, with these keys if it has succeeded.
    fn ended(&self, now: Instant, keys: Option<TokenKeys>) {
        let stale_max = *self.stale_max.lock().expect("nothing panics with the lock held");
        self.state.send_modify(|state| {
            if let Some(keys) = keys {
                (state.keys, state.fetched_at) = (Some(Arc::new(keys)), Some(now));
            } else if state.fetched_at.is_some_and(|at| now >= at + stale_max) {
                // The issuer may have revoked them meanwhile.
                state.keys = None;
            }
            state.fetches += 1;
            state.free_at = Some(now + ASK_PAUSE);
        });
    }

    /// The keys, fetched anew if none is for a token with this header and it is not too soon.
    pub(super) async fn for_token(&self, header: &Header) -> Option<Arc<TokenKeys>> {
        let mut states = self.state.subscribe();
        let (fetches, wait_max, _permit) = {
            let state = states.borrow_and_update();
            let has_key =
                |keys: &Arc<TokenKeys>| !matches!(keys.for_token(header), Err(NoKey::Unknown));
            let too_soon = state.free_at.is_some_and(|at| Instant::now() < at);
            if too_soon || state.keys.as_ref().is_some_and(has_key) {
                return state.keys.clone();
            }
            // As many others wait as may: they have asked for the fetch.
            let Ok(permit) = self.waiting.try_acquire() else { return state.keys.clone() };
            if state.free_at.is_some() {
                self.wanted.notify_one();
            }
            // Without keys, the fetch has a deadline of its own.
            let wait_max = if state.keys.is_some() { NEW_KEY_TIMEOUT } else { 2 * FETCH_TIMEOUT };
            (state.fetches, wait_max, permit)
        };
        // If the fetch does not end in time, the last keys count.
        let fetched = states.wait_for(|state| state.fetches > fetches);
        let _ = timeout(wait_max, fetched).await;
        self.state.borrow().keys.clone()
    }
}

/// Says how it stands, after a change.
fn report(name: &str, outcome: &Said) {
    match outcome {
        Said::Nothing => {}
        Said::Fetched { keys: 0, left_out } => {
            warn!(
                ?left_out,
                "the keys at {name} were fetched, and none can be used: all tokens that need them are \
                 refused"
            );
        }
        Said::Fetched { keys, left_out } => {
            info!(keys, ?left_out, "the keys at {name} were fetched");
        }
        Said::Failed { problem, has_keys: true } => {
            warn!(problem, "the keys at {name} cannot be fetched: the last ones stay in use");
        }
        Said::Failed { problem, has_keys: false } => {
            error!(
                problem,
                "the keys at {name} cannot be fetched: clients that need them are refused with 503 \
                 until they can"
            );
        }
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
    use tokio::{
        task::JoinSet,
        time::{advance, sleep},
    };

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const STALE_MAX: Duration = Duration::from_hours(24);

    /// A key set whose issuer is the test.
    #[derive(Default)]
    struct Issuer {
        fetches: AtomicUsize,
        /// The ids of its keys. None while it is away.
        keys: Mutex<Option<Vec<&'static str>>>,
        /// How long a fetch takes.
        delay: Mutex<Duration>,
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
            let (set, issuer) = (Arc::new(KeySet::new(STALE_MAX)), Arc::clone(self));
            let run = Arc::clone(&set).run("a.example".to_owned(), move || {
                issuer.fetches.fetch_add(1, Ordering::Relaxed);
                let ids = issuer.keys.lock().unwrap().clone();
                let delay = *issuer.delay.lock().unwrap();
                async move {
                    sleep(delay.max(Duration::from_millis(10))).await;
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
    async fn an_issuer_revokes_its_keys_by_leaving_them_out() {
        let issuer = Arc::new(Issuer::default());
        issuer.offers(&["one"]);
        let set = issuer.start();
        assert!(has(&set, "one").await);
        issuer.offers(&[]);
        sleep(HOUR + Duration::from_secs(1)).await;
        assert!(!has(&set, "one").await);
        assert!(set.for_token(&token("one")).await.is_some(), "such a token is wrong");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_not_used_for_ever_while_the_issuer_is_away() {
        let issuer = Arc::new(Issuer::default());
        issuer.offers(&["one"]);
        let set = issuer.start();
        assert!(has(&set, "one").await);
        *issuer.keys.lock().unwrap() = None;
        sleep(STALE_MAX - RETRY_PAUSE_MAX).await;
        assert!(has(&set, "one").await);
        sleep(3 * RETRY_PAUSE_MAX).await;
        assert!(set.for_token(&token("one")).await.is_none(), "nobody knows which tokens are good");
        issuer.offers(&["one"]);
        sleep(RETRY_PAUSE_MAX + Duration::from_secs(1)).await;
        assert!(has(&set, "one").await);
    }

    /// Each that waits holds a connection of the listener.
    #[tokio::test(start_paused = true)]
    async fn few_wait_for_a_slow_issuer_and_the_others_are_answered_at_once() {
        let issuer = Arc::new(Issuer::default());
        *issuer.delay.lock().unwrap() = FETCH_TIMEOUT;
        let set = issuer.start();
        let ask = |count: usize| {
            let mut asking = JoinSet::new();
            for _ in 0..count {
                let set = Arc::clone(&set);
                asking.spawn(async move { set.for_token(&token("forged")).await.is_some() });
            }
            asking
        };
        // The others: time passes only when no task can go on.
        let answered = |mut asking: JoinSet<bool>, expected: usize| async move {
            for _ in 0..expected {
                assert!(timeout(Duration::from_millis(1), asking.join_next()).await.is_ok());
            }
            assert!(timeout(Duration::from_millis(900), asking.join_next()).await.is_err());
            asking
        };
        let asking = answered(ask(WAITING_MAX + 100), 100).await;
        issuer.offers(&["one"]);
        let waited = asking.join_all().await;
        assert_eq!(waited, [false; WAITING_MAX], "this fetch began before the issuer had keys");
        // From then on there are keys, so that they wait for less than the fetch takes.
        sleep(2 * FETCH_TIMEOUT + ASK_PAUSE).await;
        let began = Instant::now();
        let asking = answered(ask(WAITING_MAX + 100), 100).await;
        assert_eq!(asking.join_all().await, [true; WAITING_MAX]);
        assert!(began.elapsed() < NEW_KEY_TIMEOUT + RETRY_PAUSE, "{:?}", began.elapsed());
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
