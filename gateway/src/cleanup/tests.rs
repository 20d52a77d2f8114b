//! When an owed cleanup is due, for the cases that no client can bring about.

use std::{collections::BTreeMap, net::Ipv4Addr, path::Path, time::SystemTime};

use futures_util::FutureExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::*;
use crate::{api::Apis, settings::Settings};

/// Cleanups of one API whose functions are those of a runner that answers with `functions`.
struct Owing {
    cleanups: Cleanups,
    apis: Apis,
    api: Arc<Api>,
    _runner: AbortOnDropHandle<()>,
}

impl Owing {
    async fn new(functions: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let length = functions.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{functions}"
        );
        let runner = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let text = r#"
            journal.sync = "off"
            [[api]]
            id = "a"
            path = "/a"
            transmit = "transmit"
            cleanup = "cleanup"
            function_timeout = "5m"
        "#;
        let settings = Settings::parse(Path::new("gateway.toml"), text, &BTreeMap::new()).unwrap();
        let journal = Journal::open(&settings.journal).unwrap();
        let client = FunctionClient::new(
            &url,
            http::HeaderValue::from_static("Bearer hunter2"),
            &daemon::peer::Peers::default(),
        )
        .unwrap();
        let apis = Apis::new(settings.apis, url);
        let api = apis.by_id("a").unwrap();
        let cleanups = Cleanups::new(client, journal, settings.cleanup);
        Self { cleanups, apis, api, _runner: AbortOnDropHandle::new(runner) }
    }

    async fn owe(&self) -> Owed {
        let id = ConnectionId::from_bytes([1; 19]);
        let info = ConnectionInfo::new(id, &self.api, "/a", Ipv4Addr::LOCALHOST.into(), None);
        self.cleanups.owe(&info, Arc::clone(&self.api)).await.unwrap()
    }

    fn call(&self) -> UnendedCall {
        UnendedCall::new(&self.api.config().transmit, Instant::now())
    }

    /// Whether the cleanup is due after this time.
    async fn is_due_after(&self, wait: Duration) -> bool {
        let now = SystemTime::now() + wait;
        !self.cleanups.0.journal.take_due("a", now, 9, false).await.unwrap().records.is_empty()
    }
}

/// The answer may be one of another server.
#[tokio::test]
async fn no_answer_of_a_runner_delays_a_cleanup_for_more_than_two_hours() {
    let functions = format!(
        r#"{{"functions":[{{"name":"transmit","timeout_ms":{0},"ends_within_ms":{0}}}]}}"#,
        u64::MAX
    );
    let owing = Owing::new(&functions).await;
    owing.owe().await.end(End::FAULT, Some(owing.call())).await;
    assert!(!owing.is_due_after(Duration::from_mins(119)).await);
    assert!(owing.is_due_after(Duration::from_mins(121)).await);
}

/// A shutdown cuts off many calls at once. They have time left, so it waits for each of them.
#[tokio::test]
async fn no_answer_to_a_call_that_was_cut_off_is_missed() {
    let owing = Owing::new("").await;
    let url = Url::parse("http://127.0.0.1:9/a_service").unwrap();
    for _ in 0..1500 {
        let call = UnendedCall::new(&url, Instant::now());
        let answer = LateAnswer::in_time(async { true });
        owing.owe().await.end(End::FAULT, Some(call.with_late(Some(answer)))).await;
    }
    owing.cleanups.take_up(&owing.apis);
    timeout(Duration::from_secs(25), owing.cleanups.settled()).await.unwrap();
    assert_eq!(owing.cleanups.owed().await, 0);
}

/// A task that panics drops it so.
#[tokio::test]
async fn a_cleanup_without_a_word_of_its_calls_waits_as_long_as_one_may_run() {
    let owing = Owing::new("").await;
    drop(owing.owe().await);
    assert!(!owing.is_due_after(Duration::from_mins(4)).await);
    assert!(owing.is_due_after(Duration::from_mins(6)).await);
}

/// The task is dropped while it asks the runner, which has not answered yet.
#[tokio::test]
async fn a_cleanup_is_not_due_while_the_runner_is_asked() {
    let owing = Owing::new("").await;
    let end = owing.owe().await.end(End::FAULT, Some(owing.call()));
    assert!(end.now_or_never().is_none());
    assert!(!owing.is_due_after(Duration::from_mins(4)).await);
    assert!(owing.is_due_after(Duration::from_mins(6)).await);
}

#[tokio::test]
async fn a_cleanup_whose_calls_have_ended_is_due_at_once() {
    let owing = Owing::new("").await;
    owing.owe().await.end(End::SERVER, None).await;
    let queue = owing.cleanups.queue(&owing.api);
    assert_eq!(queue.take_up().unwrap().recv().await.unwrap().progress.not_before, None);
}
