//! Fan-out: one message in, and out to many connections. In Longhold that is the chat: its
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

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Settings {
    /// Connections that each message goes to
    #[arg(long, default_value_t = 1000)]
    connections: usize,
    /// Messages under way at once, of the one connection that sends
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

/// What all listeners share: how many of them each message has yet to reach.
#[derive(Debug)]
struct Waves {
    /// Of the messages under way, by their number modulo the window.
    left: Vec<AtomicUsize>,
    listeners: usize,
    /// Deliveries that count.
    deliveries: AtomicU64,
    period: Period,
    /// Told of each message that has reached all.
    arrived: mpsc::Sender<()>,
}

pub(super) async fn measure(
    settings: &Settings,
    target: &Target,
    running: &Running,
) -> anyhow::Result<Figures> {
    let Settings { connections, window, bytes, .. } = *settings;
    let mut clients = connect_all(running, Scene::FanOut, connections + 1).await?;
    let (speaker, mut own) = clients.pop().context("there is no client")?.split();
    let period = Period::begin(settings.lengths);
    let (arrived, arrivals) = mpsc::channel(window);
    let waves = Arc::new(Waves {
        left: (0..window).map(|_| AtomicUsize::new(connections)).collect(),
        listeners: connections,
        deliveries: AtomicU64::new(0),
        period,
        arrived,
    });
    let mut listeners = JoinSet::new();
    for client in clients {
        listeners.spawn(listen(client, Arc::clone(&waves)));
    }
    // Some targets send to the sender too.
    listeners.spawn(async move {
        loop {
            next_text(&mut own).await?;
        }
    });
    let latencies = Latencies::new();
    let _progress = Progress::of(format!("fan-out {target}, messages"), latencies.clone());
    let speaker =
        Speaker { speaker, arrivals, waiting: VecDeque::new(), next: 0, bytes, period, latencies };
    let count = speaker.latencies.clone();
    let (cpu, lost) = tokio::join!(period.cpu(running), async {
        tokio::select! {
            lost = speaker.run(window) => lost,
            Some(ended) = listeners.join_next() => ended?.and(Ok(0)),
        }
    });
    let lost = lost?;
    ensure!(!target.promises_order() || lost == 0, "{target} lost {lost} messages on the way");
    let deliveries = waves.deliveries.load(Relaxed) as f64;
    let mut figures = Figures::default();
    figures.add("deliveries_per_s", deliveries / period.seconds());
    figures.add("messages_per_s", count.count() as f64 / period.seconds());
    count.tell(&mut figures);
    figures.add("cpu_us_per_delivery", cpu?.as_secs_f64() * 1e6 / deliveries);
    figures.add("lost", lost as f64);
    Ok(figures)
}

/// One of those that a message goes to, for as long as there are any.
async fn listen(mut client: Client, waves: Arc<Waves>) -> anyhow::Result<()> {
    loop {
        let text = next_text(&mut client).await?;
        let number = text.split_once(' ').and_then(|(number, _)| number.parse::<usize>().ok());
        let slot = number.context("not what was sent")? % waves.left.len();
        if waves.period.counts(Instant::now()) {
            waves.deliveries.fetch_add(1, Relaxed);
        }
        if waves.left[slot].fetch_sub(1, Relaxed) == 1 {
            waves.left[slot].store(waves.listeners, Relaxed);
            waves.arrived.send(()).await?;
        }
    }
}

/// The one that sends. A message counts as long as it took to reach the last.
struct Speaker {
    speaker: SplitSink<Client, Message>,
    arrivals: mpsc::Receiver<()>,
    waiting: VecDeque<Instant>,
    next: usize,
    bytes: usize,
    period: Period,
    latencies: Latencies,
}

impl Speaker {
    /// How many messages have not reached all.
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
        Ok(self.speaker.send(Message::text(text)).await?)
    }
}
