//! The loop of a driver in Rust: reads jobs, does each with the library's `Client`, and writes
//! results.

use std::{
    error::Error,
    io,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use http::{HeaderMap, header::SEC_WEBSOCKET_PROTOCOL};
use tokio::{runtime, time};

const TEXT: &str = "grüße, 世界 🌍";
const LIMIT: Duration = Duration::from_secs(30);

pub type Fault = Box<dyn Error>;

/// A message, as it was sent or received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    Text(String),
    Binary(Vec<u8>),
}

pub struct Job {
    pub url: String,
    /// As in the header, with commas.
    pub offers: Option<String>,
}

/// A connection of the library. A library that is asked to receive answers pings meanwhile.
#[expect(async_fn_in_trait, reason = "only drivers use it, on one thread")]
pub trait Client: Sized {
    async fn connect(job: &Job) -> Result<Self, Fault>;
    fn subprotocol(&self) -> Option<String>;
    async fn send(&mut self, message: Message) -> Result<(), Fault>;
    async fn receive(&mut self) -> Result<Message, Fault>;
    /// Receives for this long, and fails when a message comes.
    async fn idle(&mut self, duration: Duration) -> Result<(), Fault> {
        match time::timeout(duration, self.receive()).await {
            Ok(Ok(message)) => Err(format!("{message:?} came").into()),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(()),
        }
    }
    /// `code` is none for the library's default.
    async fn close(self, code: Option<u16>) -> Result<(), Fault>;
}

/// The subprotocol that an answer with these headers has chosen.
pub fn chosen_subprotocol(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let chosen = headers.get(SEC_WEBSOCKET_PROTOCOL);
    Ok(chosen.map(|chosen| chosen.to_str().map(str::to_owned)).transpose()?)
}

/// Does all jobs.
pub fn run<C: Client>() -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    for line in io::stdin().lines() {
        let mut step = "connect";
        let line = line?;
        // Some libraries panic where others return an error.
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(perform::<C>(&line, &mut step))
        }));
        match result.unwrap_or_else(|_| Err("it panicked".into())) {
            Ok(subprotocol) => println!("ok\t{}", subprotocol.unwrap_or_default()),
            Err(error) => println!("failed\t{step}\t\t{}", chain(&*error)),
        }
    }
    Ok(())
}

/// The text of an error and of its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let text = error.to_string().replace(['\n', '\t'], " ");
    error.source().map_or(text.clone(), |cause| format!("{text}: {}", chain(cause)))
}

async fn perform<C: Client>(line: &str, step: &mut &str) -> Result<Option<String>, Fault> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [url, offers, idle, _, code] = fields[..] else { return Err("not a job".into()) };
    let offers = (!offers.is_empty()).then(|| offers.to_owned());
    let mut client =
        time::timeout(LIMIT, C::connect(&Job { url: url.to_owned(), offers })).await??;
    *step = "echo";
    echo(&mut client).await?;
    let idle = Duration::from_secs_f64(idle.parse()?);
    if !idle.is_zero() {
        *step = "idle";
        client.idle(idle).await?;
        echo(&mut client).await?;
    }
    *step = "close";
    let subprotocol = client.subprotocol();
    let code = if code.is_empty() { None } else { Some(code.parse()?) };
    time::timeout(LIMIT, client.close(code)).await??;
    Ok(subprotocol)
}

async fn echo(client: &mut impl Client) -> Result<(), Fault> {
    for message in [Message::Text(TEXT.to_owned()), Message::Binary((0..=255).collect())] {
        client.send(message.clone()).await?;
        let received = time::timeout(LIMIT, client.receive()).await??;
        if received != message {
            return Err(format!("{received:?} came back").into());
        }
    }
    Ok(())
}
