//! Latency of the echo, open-loop: messages are due at a fixed rate, and the latency counts from
//! the time when a message was due. So a stall of the target counts for every message that was due
//! during the stall.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use futures_util::{
    SinkExt, StreamExt,
    future::try_join_all,
    stream::{SplitSink, SplitStream},
};
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::{echo, schedule::Schedule};
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
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Messages per second, of all connections
    #[arg(long, conflicts_with = "load")]
    rate: Option<f64>,
    /// Instead of a rate: this part of the target's highest rate, which is measured first
    #[arg(long, default_value_t = 0.5)]
    load: f64,
    /// Bytes of each message
    #[arg(long, default_value_t = 128)]
    bytes: usize,
    #[command(flatten)]
    lengths: Lengths,
}

impl Settings {
    /// Messages of 128 bytes at this rate.
    pub(crate) fn at_rate(rate: f64, connections: usize, lengths: Lengths) -> Self {
        Self { connections, rate: Some(rate), load: 0.0, bytes: 128, lengths }
    }

    pub(super) fn describe(&self) -> String {
        let Self { connections, rate, load, bytes, lengths } = self;
        let rate = match rate {
            Some(rate) => format!("{rate} messages/s"),
            None => format!("{load} of the highest rate"),
        };
        format!("{connections} connections, {rate}, {bytes} bytes, {lengths}")
    }

    /// The configured rate, or a part of the highest rate.
    async fn rate(&self, target: &Target, running: &RunningTarget) -> anyhow::Result<f64> {
        if let Some(rate) = self.rate {
            return Ok(rate);
        }
        let lengths = Lengths { seconds: self.lengths.seconds.min(3.0), ..self.lengths };
        let Self { connections, bytes, .. } = *self;
        let echo = echo::Settings { connections, window: 1, bytes, idle: 0, lengths };
        let highest = echo::measure(&echo, Scenario::Echo, target, running).await?;
        Ok(self.load * highest.get("messages_per_s").context("no rate")?)
    }
}

pub(crate) async fn measure(
    settings: &Settings,
    target: &Target,
    running: &RunningTarget,
) -> anyhow::Result<Figures> {
    let rate = settings.rate(target, running).await?;
    let lengths = settings.lengths;
    let count = rate * (lengths.warm_up + lengths.seconds);
    ensure!(rate > 0.0 && (1.0..1e9).contains(&count), "{rate} messages/s is too low or too high");
    let clients = connect_all(running, Scenario::Echo, settings.connections).await?;
    let period = Period::begin(lengths);
    let start = Instant::now();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let count = count as u32;
    let schedule = Schedule { start, rate, connections: settings.connections, count };
    let latencies = Latencies::new();
    let _progress = ProgressLine::of(format!("latency {target}"), latencies.clone());
    let (queues, due) = schedule.queues();
    let tasks = clients.into_iter().zip(due).enumerate().map(|(connection, (client, due))| {
        let (sink, stream) = client.split();
        let receiver = EchoReceiver { stream, start, period, latencies: latencies.clone() };
        let (bytes, share) = (settings.bytes, schedule.share(connection));
        tokio::spawn(async move {
            let sending = send_when_due(sink, due, start, bytes);
            let (sent, lost) = tokio::join!(sending, receiver.receive(share));
            sent.and(lost)
        })
    });
    let tasks = try_join_all(tasks.collect::<Vec<_>>());
    let (kept, cpu, results) =
        tokio::join!(spawn_blocking(move || schedule.keep(&queues)), period.cpu(running), tasks);
    kept??;
    let mut lost = 0;
    for result in results? {
        lost += result?;
    }
    ensure!(!target.promises_order() || lost == 0, "{target} lost {lost} messages");
    let mut figures = Figures::default();
    latencies.add_to(&mut figures);
    let count = latencies.count() as f64;
    figures.add("due_per_s", rate);
    figures.add("answered_per_s", count / period.seconds());
    figures.add("cpu_us_per_message", cpu?.as_secs_f64() * 1e6 / count);
    figures.add("lost", lost as f64);
    Ok(figures)
}

/// Sends the messages that are due. Each message contains the time when it was due, in nanoseconds
/// since the start.
async fn send_when_due(
    mut sink: SplitSink<WebSocketClient, Message>,
    mut due: mpsc::Receiver<Instant>,
    start: Instant,
    bytes: usize,
) -> anyhow::Result<()> {
    while let Some(due) = due.recv().await {
        let head = format!("{} ", (due - start).as_nanos());
        sink.send(Message::text(text_of(head, bytes))).await?;
    }
    Ok(())
}

/// Receives the echoes of one connection.
struct EchoReceiver {
    stream: SplitStream<WebSocketClient>,
    start: Instant,
    period: Period,
    latencies: Latencies,
}

impl EchoReceiver {
    /// Receives `share` echoes. Returns the number of echoes that did not come in time.
    async fn receive(mut self, share: usize) -> anyhow::Result<usize> {
        let last = (self.period.until() + GRACE).into();
        for received in 0..share {
            let Ok(answer) = timeout_at(last, next_text(&mut self.stream)).await else {
                return Ok(share - received);
            };
            let now = Instant::now();
            let answer = answer?;
            let head = answer.split_once(' ').and_then(|(nanoseconds, _)| nanoseconds.parse().ok());
            let nanoseconds = head.context("received a message that was not sent")?;
            let due = self.start + Duration::from_nanos(nanoseconds);
            if self.period.counts(due) {
                self.latencies.record(now.saturating_duration_since(due));
            }
        }
        Ok(0)
    }
}
