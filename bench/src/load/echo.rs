//! Echo: client, gateway, function, push, client. Closed-loop, so it finds the highest rate.

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
    client::{Client, GRACE, connect_all, next_text, text_of},
    figures::Figures,
    latencies::Latencies,
    period::{Lengths, Period},
    progress::Progress,
    target::{
        Target,
        running::{Running, Scene},
    },
};

const FIRST: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 64)]
    pub(crate) connections: usize,
    /// Messages that each connection has under way at once
    #[arg(long, default_value_t = 1)]
    pub(crate) window: usize,
    /// Bytes of each message
    #[arg(long, default_value_t = 128)]
    pub(crate) bytes: usize,
    /// Connections beside those, which are open and quiet
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

/// Messages that did not come back as they should.
#[derive(Debug, Default, Clone, Copy)]
struct Mishaps {
    lost: usize,
    out_of_order: usize,
}

pub(crate) async fn measure(
    settings: &Settings,
    scene: Scene,
    target: &Target,
    running: &Running,
) -> anyhow::Result<Figures> {
    let before = running.memory()?;
    let mut clients = connect_all(running, scene, settings.connections + settings.idle).await?;
    let memory = running.memory()?.saturating_sub(before) as f64 / clients.len() as f64;
    let _idle = clients.split_off(settings.connections);
    try_join_all(clients.iter_mut().map(echo_once)).await?;
    let period = Period::begin(settings.lengths);
    let latencies = Latencies::new();
    let _progress = Progress::of(format!("echo {target}"), latencies.clone());
    let talks = clients.into_iter().enumerate().map(|(connection, client)| {
        let (latencies, settings) = (latencies.clone(), *settings);
        let waiting = VecDeque::with_capacity(settings.window);
        let talk = Talk {
            connection,
            client,
            settings,
            period,
            latencies,
            waiting,
            next: 0,
            out_of_order: 0,
        };
        tokio::spawn(talk.run())
    });
    let talks = try_join_all(talks.collect::<Vec<_>>());
    let (cpu, talks) = tokio::join!(period.cpu(running), talks);
    let mut mishaps = Mishaps::default();
    for talk in talks? {
        let Mishaps { lost, out_of_order } = talk?;
        mishaps.lost += lost;
        mishaps.out_of_order += out_of_order;
    }
    let Mishaps { lost, out_of_order } = mishaps;
    ensure!(
        !target.promises_order() || lost + out_of_order == 0,
        "{target} lost {lost} messages, and {out_of_order} came out of order"
    );
    let count = latencies.count() as f64;
    let mut figures = Figures::default();
    figures.add("messages_per_s", count / period.seconds());
    latencies.tell(&mut figures);
    figures.add("cpu_us_per_message", cpu?.as_secs_f64() * 1e6 / count);
    figures.add("megabytes_per_s", count * settings.bytes as f64 / 1e6 / period.seconds());
    if settings.idle > 0 {
        figures.add("bytes_each", memory);
    }
    figures.add("lost", lost as f64);
    figures.add("out_of_order", out_of_order as f64);
    Ok(figures)
}

/// A first message, which may have to wait for a process to start.
async fn echo_once(client: &mut Client) -> anyhow::Result<()> {
    client.send(Message::text("first")).await?;
    timeout(FIRST, next_text(client)).await.context("the first message did not come back")??;
    Ok(())
}

/// One connection. Each message is numbered, so it shows which one comes back.
struct Talk {
    connection: usize,
    client: Client,
    settings: Settings,
    period: Period,
    latencies: Latencies,
    waiting: VecDeque<(String, Instant)>,
    next: u64,
    out_of_order: usize,
}

impl Talk {
    async fn run(mut self) -> anyhow::Result<Mishaps> {
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
        Ok(Mishaps { lost, out_of_order: self.out_of_order })
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
        let place = self.waiting.iter().position(|(text, _)| text == answer);
        let place = place.with_context(|| format!("got {answer:?}, which was not sent"))?;
        let (_, sent) = self.waiting.remove(place).context("it is there")?;
        self.out_of_order += usize::from(place > 0);
        if self.period.counts(now) {
            self.latencies.record(now - sent);
        }
        Ok(now)
    }
}
