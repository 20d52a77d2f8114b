//! Fan-out: one client sends, and many connections receive. With Longhold this is the chat: its
//! transmit function pushes one batch to all others.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use anyhow::{Context, ensure};
use clap::Args;
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use tokio::{sync::mpsc, task::JoinSet, time::timeout_at};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::{GRACE, WebSocketClient, connect_all, next_text, text_of},
    figures::Figures,
    latencies::Latencies,
    period::{Lengths, Period},
    progress::ProgressLine,
    target::{
        Target,
        running::{RunningTarget, Scenario},
    },
};

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Settings {
    /// Connections that receive each message
    #[arg(long, default_value_t = 1000)]
    connections: usize,
    /// Messages that the sending connection has in flight
    #[arg(long, default_value_t = 4)]
    window: usize,
    /// Bytes of each message
    #[arg(long, default_value_t = 128)]
    bytes: usize,
    #[command(flatten)]
    lengths: Lengths,
}

impl Settings {
    pub(super) fn describe(&self) -> String {
        let Self { connections, window, bytes, lengths } = self;
        format!("to {connections} connections, {window} in flight, {bytes} bytes, {lengths}")
    }
}

/// Shared by all receiving connections: how many of them have not yet received each message.
#[derive(Debug)]
struct FanOutState {
    /// For each message in flight, at the index message number modulo window.
    left: Vec<AtomicUsize>,
    receivers: usize,
    /// The deliveries within the period.
    deliveries: AtomicU64,
    period: Period,
    /// Gets a value for each message that all connections have received.
    arrived: mpsc::Sender<()>,
}

pub(super) async fn measure(
    settings: &Settings,
    target: &Target,
    running: &RunningTarget,
) -> anyhow::Result<Figures> {
    let Settings { connections, window, bytes, .. } = *settings;
    let mut clients = connect_all(running, Scenario::FanOut, connections + 1).await?;
    let (sink, mut own) = clients.pop().context("there is no client")?.split();
    let period = Period::begin(settings.lengths);
    let (arrived, arrivals) = mpsc::channel(window);
    let state = Arc::new(FanOutState {
        left: (0..window).map(|_| AtomicUsize::new(connections)).collect(),
        receivers: connections,
        deliveries: AtomicU64::new(0),
        period,
        arrived,
    });
    let mut receivers = JoinSet::new();
    for client in clients {
        receivers.spawn(receive(client, Arc::clone(&state)));
    }
    // Some targets also send the message to its sender.
    receivers.spawn(async move {
        loop {
            next_text(&mut own).await?;
        }
    });
    let latencies = Latencies::new();
    let _progress = ProgressLine::of(format!("fan-out {target}, messages"), latencies.clone());
    let count = latencies.clone();
    let sender = SendingConnection {
        sink,
        arrivals,
        waiting: VecDeque::new(),
        next: 0,
        bytes,
        period,
        latencies,
    };
    let (cpu, lost) = tokio::join!(period.cpu(running), async {
        tokio::select! {
            lost = sender.run(window) => lost,
            Some(ended) = receivers.join_next() => ended?.and(Ok(0)),
        }
    });
    let lost = lost?;
    ensure!(!target.promises_order() || lost == 0, "{target} lost {lost} messages");
    let deliveries = state.deliveries.load(Relaxed) as f64;
    let mut figures = Figures::default();
    figures.add("deliveries_per_s", deliveries / period.seconds());
    figures.add("messages_per_s", count.count() as f64 / period.seconds());
    count.add_to(&mut figures);
    figures.add("cpu_us_per_delivery", cpu?.as_secs_f64() * 1e6 / deliveries);
    figures.add("lost", lost as f64);
    Ok(figures)
}

/// Receives and counts messages on one connection. Ends only with an error.
async fn receive(mut client: WebSocketClient, state: Arc<FanOutState>) -> anyhow::Result<()> {
    loop {
        let text = next_text(&mut client).await?;
        let number = text.split_once(' ').and_then(|(number, _)| number.parse::<usize>().ok());
        let slot = number.context("received a message that was not sent")? % state.left.len();
        if state.period.counts(Instant::now()) {
            state.deliveries.fetch_add(1, Relaxed);
        }
        if state.left[slot].fetch_sub(1, Relaxed) == 1 {
            state.left[slot].store(state.receivers, Relaxed);
            state.arrived.send(()).await?;
        }
    }
}

/// The connection that sends. The latency of a message ends when the last connection has received
/// it.
struct SendingConnection {
    sink: SplitSink<WebSocketClient, Message>,
    arrivals: mpsc::Receiver<()>,
    waiting: VecDeque<Instant>,
    next: usize,
    bytes: usize,
    period: Period,
    latencies: Latencies,
}

impl SendingConnection {
    /// Sends messages until the period is over. Returns the number of lost messages: those that
    /// some connection has not received.
    async fn run(mut self, window: usize) -> anyhow::Result<usize> {
        for _ in 0..window {
            self.send().await?;
        }
        let last = (self.period.until() + GRACE).into();
        while let Some(sent) = self.waiting.pop_front() {
            if timeout_at(last, self.arrivals.recv()).await.is_err() {
                return Ok(self.waiting.len() + 1);
            }
            let now = Instant::now();
            if self.period.counts(now) {
                self.latencies.record(now - sent);
            }
            if !self.period.is_over(now) {
                self.send().await?;
            }
        }
        Ok(0)
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let head = format!("{} ", self.next);
        self.next += 1;
        self.waiting.push_back(Instant::now());
        let text = text_of(head, self.bytes);
        Ok(self.sink.send(Message::text(text)).await?)
    }
}
