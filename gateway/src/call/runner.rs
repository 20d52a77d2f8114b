//! What the runner says of its functions: how long one may run, and when those that run now will
//! have ended.
//!
//! One question at a time. Those who want to know meanwhile share the next answer, so that many
//! calls that break off at once do not ask many times.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use reqwest::Client;
use serde::Deserialize;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use tracing::debug;
use url::Url;

/// How long the runner has to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a runner that could not be asked is not asked again by those who can do without.
const PAUSE: Duration = Duration::from_secs(5);

/// The runner, and what it has said.
#[derive(Debug)]
pub(super) struct Runner {
    /// The address of its functions, without a slash at the end.
    functions: String,
    turn: Semaphore,
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    asked_at: Option<Instant>,
    word: Option<Word>,
    /// The timeouts of the functions, from the last answer.
    timeouts: HashMap<String, Duration>,
}

/// What a question has brought.
#[derive(Debug, Clone)]
pub(super) enum Word {
    /// The functions by name.
    Functions(Arc<HashMap<String, FunctionTimes>>),
    /// No connection could be made: the runner does not run.
    Gone,
    /// There was no answer that can be read.
    Silent,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct FunctionTimes {
    pub(super) timeout: Duration,
    /// When all invocations have ended that had begun when the runner answered. None from a runner of
    /// a version that does not say it.
    pub(super) all_ended: Option<Instant>,
}

#[derive(Deserialize)]
struct Answer {
    functions: Vec<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    timeout_ms: u64,
    ends_within_ms: Option<u64>,
}

impl Runner {
    /// The runner at this base URL.
    pub(super) fn new(base: &Url) -> Self {
        let functions = format!("{}/functions", base.as_str().trim_end_matches('/'));
        Self { functions, turn: Semaphore::new(1), said: Mutex::default() }
    }

    pub(super) fn scheme(&self) -> &str {
        self.functions.split(':').next().unwrap_or_default()
    }

    /// The name of the function at `url`, if it is one of the runner's.
    pub(super) fn name_of<'a>(&self, url: &'a Url) -> Option<&'a str> {
        let name = url.as_str().strip_prefix(&*self.functions)?.strip_prefix('/')?;
        name.strip_suffix("/invocations")
    }

    /// The timeout of a function, as the runner has said before.
    pub(super) fn timeout_of(&self, name: &str) -> Option<Duration> {
        self.said().timeouts.get(name).copied()
    }

    /// Whether the runner can be asked again without delaying everybody while it does not answer.
    pub(super) fn may_be_asked(&self) -> bool {
        self.said().asked_at.is_none_or(|asked_at| asked_at.elapsed() > PAUSE)
    }

    /// Asks the runner, or takes part in a question that somebody else begins from now on.
    pub(super) async fn ask(&self, http: &Client) -> Word {
        let came = Instant::now();
        let _turn = self.turn.acquire().await.expect("the semaphore is never closed");
        if let Said { asked_at: Some(asked_at), word: Some(word), .. } = &*self.said()
            && *asked_at >= came
        {
            return word.clone();
        }
        let asked_at = Instant::now();
        let word = timeout(ANSWER_TIMEOUT, self.question(http)).await.unwrap_or(Word::Silent);
        debug!(?word, "asked the runner for its functions");
        let mut said = self.said();
        said.asked_at = Some(asked_at);
        said.word = Some(word.clone());
        if let Word::Functions(functions) = &word {
            let timeouts = functions.iter().map(|(name, times)| (name.clone(), times.timeout));
            said.timeouts = timeouts.collect();
        }
        word
    }

    async fn question(&self, http: &Client) -> Word {
        let response = match http.get(&self.functions).send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Word::Gone,
            Err(_) => return Word::Silent,
        };
        let Ok(body) = response.bytes().await else { return Word::Silent };
        let Ok(answer) = serde_json::from_slice::<Answer>(&body) else { return Word::Silent };
        let now = Instant::now();
        let functions = answer.functions.into_iter().map(|function| {
            let Function { name, timeout_ms, ends_within_ms } = function;
            let all_ended = ends_within_ms.map(|ms| now + Duration::from_millis(ms));
            (name, FunctionTimes { timeout: Duration::from_millis(timeout_ms), all_ended })
        });
        Word::Functions(Arc::new(functions.collect()))
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().expect("no code panics while it holds this lock")
    }
}
