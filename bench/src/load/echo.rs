//! Echo: client, gateway, function, push, client. It is closed-loop, so it finds the highest rate.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use futures_util::{SinkExt, future::try_join_all};
use tokio::time::{timeout, timeout_at};
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

/// How long the first echo may take. A process may have to be started for it.
const FIRST_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 64)]
    pub(crate) connections: usize,
    /// Messages that each connection has in flight
    #[arg(long, default_value_t = 1)]
    pub(crate) window: usize,
    /// Bytes of each message
    #[arg(long, default_value_t = 128)]
    pub(crate) bytes: usize,
    /// Additional connections that send nothing
    #[arg(long, default_value_t = 0)]
    pub(crate) idle: usize,
    #[command(flatten)]
    pub(crate) lengths: Lengths,
}

impl Settings {
    pub(super) fn describe(&self) -> String {
        let Self { connections, window, bytes, idle, lengths } = self;
        format!(
            "{connections} connections and {idle} idle ones, {window} in flight each, {bytes} bytes, \
             {lengths}"
        )
    }
}

/// The numbers of messages that were not echoed correctly.
#[derive(Debug, Default, Clone, Copy)]
struct DeliveryErrors {
    lost: usize,
    out_of_order: usize,
}

pub(crate) async fn measure(
    settings: &Settings,
    scenario: Scenario,
    target: &Target,
    running: &RunningTarget,
) -> anyhow::Result<Figures> {
    let before = running.memory()?;
    let mut clients = connect_all(running, scenario, settings.connections + settings.idle).await?;
    let memory = running.memory()?.saturating_sub(before) as f64 / clients.len() as f64;
    let _idle = clients.split_off(settings.connections);
    try_join_all(clients.iter_mut().map(echo_once)).await?;
    let period = Period::begin(settings.lengths);
    let latencies = Latencies::new();
    let _progress = ProgressLine::of(format!("echo {target}"), latencies.clone());
    let tasks = clients.into_iter().enumerate().map(|(connection, client)| {
        let (latencies, settings) = (latencies.clone(), *settings);
        let waiting = VecDeque::with_capacity(settings.window);
        let echo = EchoConnection {
            connection,
            client,
            settings,
            period,
            latencies,
            waiting,
            next: 0,
            out_of_order: 0,
        };
        tokio::spawn(echo.run())
    });
    let tasks = try_join_all(tasks.collect::<Vec<_>>());
    let (cpu, results) = tokio::join!(period.cpu(running), tasks);
    let mut errors = DeliveryErrors::default();
    for result in results? {
        let DeliveryErrors { lost, out_of_order } = result?;
        errors.lost += lost;
        errors.out_of_order += out_of_order;
    }
    let DeliveryErrors { lost, out_of_order } = errors;
    ensure!(
        !target.promises_order() || lost + out_of_order == 0,
        "{target} lost {lost} messages, and {out_of_order} came out of order"
    );
    let count = latencies.count() as f64;
    let mut figures = Figures::default();
    figures.add("messages_per_s", count / period.seconds());
    latencies.add_to(&mut figures);
    figures.add("cpu_us_per_message", cpu?.as_secs_f64() * 1e6 / count);
    figures.add("megabytes_per_s", count * settings.bytes as f64 / 1e6 / period.seconds());
    if settings.idle > 0 {
        figures.add("bytes_each", memory);
    }
    figures.add("lost", lost as f64);
    figures.add("out_of_order", out_of_order as f64);
    Ok(figures)
}

/// Sends one message and waits for its echo.
async fn echo_once(client: &mut WebSocketClient) -> anyhow::Result<()> {
    client.send(Message::text("first")).await?;
    timeout(FIRST_TIMEOUT, next_text(client)).await.context("the first echo did not come")??;
    Ok(())
}

/// One connection. Each message has a number, so an echo can be matched with its message.
struct EchoConnection {
    connection: usize,
    client: WebSocketClient,
    settings: Settings,
    period: Period,
    latencies: Latencies,
    waiting: VecDeque<(String, Instant)>,
    next: u64,
    out_of_order: usize,
}

impl EchoConnection {
    async fn run(mut self) -> anyhow::Result<DeliveryErrors> {
        for _ in 0..self.settings.window {
            self.send().await?;
        }
        let last = (self.period.until() + GRACE).into();
        while !self.waiting.is_empty() {
            let Ok(answer) = timeout_at(last, next_text(&mut self.client)).await else { break };
            let now = self.take(answer?.as_str())?;
            if !self.period.is_over(now) {
                self.send().await?;
            }
        }
        let lost = self.waiting.len();
        // A peer need not answer a Close.
        let _ = self.client.close(None).await;
        Ok(DeliveryErrors { lost, out_of_order: self.out_of_order })
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let head = format!("{} {} ", self.connection, self.next);
        let text = text_of(head, self.settings.bytes);
        self.next += 1;
        self.waiting.push_back((text.clone(), Instant::now()));
        self.client.send(Message::text(text)).await.context("could not send")
    }

    fn take(&mut self, answer: &str) -> anyhow::Result<Instant> {
        let now = Instant::now();
        let index = self.waiting.iter().position(|(text, _)| text == answer);
        let index = index.with_context(|| format!("received {answer:?}, which was not sent"))?;
        let (_, sent) = self.waiting.remove(index).context("the index is valid")?;
        self.out_of_order += usize::from(index > 0);
        if self.period.counts(now) {
            self.latencies.record(now - sent);
        }
        Ok(now)
    }
}
