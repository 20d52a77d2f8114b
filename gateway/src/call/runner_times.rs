//! What the runner says of its functions: how long one may run, and when those that run now will
//! have ended.
//!
//! One question at a time. Calls that break off meanwhile share the next answer, so that many of
//! them do not ask many times.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use http::HeaderValue;
use reqwest::Client;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tracing::debug;
use url::Url;

use super::{runner_answer::RunnerAnswer, runner_url::RunnerUrl};

/// How long the runner has to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// The pause before the runner is asked again within that time.
const PAUSE: Duration = Duration::from_millis(200);
/// How old an answer may be for a new connection. So a runner that does not answer delays few of
/// them.
const AGE_MAX: Duration = Duration::from_secs(5);

/// The times of the runner's functions.
#[derive(Debug)]
pub(super) struct RunnerTimes {
    url: RunnerUrl,
    turn: Semaphore,
    last: Mutex<LastAnswer>,
}

#[derive(Debug, Default)]
struct LastAnswer {
    asked_at: Option<Instant>,
    answer: Option<RunnerAnswer>,
    /// The timeouts of the functions, from the last answer that had them.
    timeouts: HashMap<String, Duration>,
}

impl RunnerTimes {
    /// The times of the runner at this base URL. `authorization` is what it asks of its callers.
    pub(super) fn new(base: &Url, authorization: HeaderValue) -> Self {
        Self {
            url: RunnerUrl::new(base, authorization),
            turn: Semaphore::new(1),
            last: Mutex::default(),
        }
    }

    /// The address of the runner.
    pub(super) fn url(&self) -> &RunnerUrl {
        &self.url
    }

    /// The timeout of a function, from the last answer that had it.
    pub(super) fn timeout_of(&self, name: &str) -> Option<Duration> {
        self.last().timeouts.get(name).copied()
    }

    /// Asks the runner, unless it was asked a moment ago.
    pub(super) async fn refresh(&self, http: &Client) {
        if self.is_fresh() {
            return;
        }
        let _turn = self.turn.acquire().await.expect("the semaphore is never closed");
        if !self.is_fresh() {
            self.ask_in_turn(http).await;
        }
    }

    fn is_fresh(&self) -> bool {
        self.last().asked_at.is_some_and(|asked_at| asked_at.elapsed() < AGE_MAX)
    }

    /// Asks the runner, or shares the answer to a question that begins from now on.
    pub(super) async fn ask(&self, http: &Client) -> RunnerAnswer {
        let came = Instant::now();
        let _turn = self.turn.acquire().await.expect("the semaphore is never closed");
        if let LastAnswer { asked_at: Some(asked_at), answer: Some(answer), .. } = &*self.last()
            && *asked_at >= came
        {
            return answer.clone();
        }
        self.ask_in_turn(http).await
    }

    async fn ask_in_turn(&self, http: &Client) -> RunnerAnswer {
        let asked_at = Instant::now();
        let answer = timeout(ANSWER_TIMEOUT, self.answer(http)).await;
        let answer = answer.unwrap_or(RunnerAnswer::NoAnswer);
        debug!(?answer, "asked the runner for its functions");
        let mut last = self.last();
        last.asked_at = Some(asked_at);
        last.answer = Some(answer.clone());
        if let RunnerAnswer::Functions(functions) = &answer {
            let timeouts = functions.iter().map(|(name, times)| (name.clone(), times.timeout));
            last.timeouts = timeouts.collect();
        }
        answer
    }

    /// Asks again until there is an answer. A runner that is killed and started again breaks a
    /// question off, and can answer a moment later.
    async fn answer(&self, http: &Client) -> RunnerAnswer {
        loop {
            match RunnerAnswer::get(http, &self.url.functions(), self.url.headers()).await {
                RunnerAnswer::NoAnswer => sleep(PAUSE).await,
                answer => return answer,
            }
        }
    }

    fn last(&self) -> MutexGuard<'_, LastAnswer> {
        self.last.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// Answers one question.
    async fn answer_one(listener: &TcpListener, timeout_ms: u64) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let body = format!(r#"{{"functions":[{{"name":"f","timeout_ms":{timeout_ms}}}]}}"#);
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
        let answer = format!("{head} {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    /// It was killed, and started again at once.
    #[tokio::test]
    async fn a_runner_that_breaks_a_question_off_is_asked_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let answers = async {
            drop(listener.accept().await.unwrap());
            answer_one(&listener, 3000).await;
        };
        let times = RunnerTimes::new(&base, HeaderValue::from_static("Bearer hunter2"));
        let http = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let (answer, ()) = tokio::join!(times.ask(&http), answers);
        assert!(matches!(answer, RunnerAnswer::Functions(_)), "{answer:?}");
    }

    /// The settings of the runner have changed since the last question.
    #[tokio::test]
    async fn the_timeout_of_a_function_is_known_within_a_few_seconds_after_a_change() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let answers = async {
            for timeout_ms in [3000, 120_000] {
                answer_one(&listener, timeout_ms).await;
            }
        };
        let times = RunnerTimes::new(&base, HeaderValue::from_static("Bearer hunter2"));
        let http = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let asking = async {
            times.refresh(&http).await;
            // A second question at once would change the timeout.
            times.refresh(&http).await;
            assert_eq!(times.timeout_of("f"), Some(Duration::from_secs(3)));
            tokio::time::pause();
            tokio::time::advance(AGE_MAX).await;
            tokio::time::resume();
            times.refresh(&http).await;
            assert_eq!(times.timeout_of("f"), Some(Duration::from_mins(2)));
        };
        tokio::join!(answers, asking);
    }
}
