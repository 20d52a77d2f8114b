//! Calls of a function that does nothing: the function-runner alone, a function in Python that is
//! already started, and one caller.

use std::{net::SocketAddr, time::Instant};

use anyhow::ensure;
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

use crate::{
    figures::Figures,
    latencies::Latencies,
    period::{Lengths, Period},
    progress::ProgressLine,
    target::{Target, longhold::OPERATOR, running::RunningTarget},
};

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    lengths: Lengths,
}

impl Settings {
    pub(super) fn describe(&self) -> String {
        format!("one caller, an empty function in Python, {}", self.lengths)
    }
}

pub(super) async fn measure(
    settings: &Settings,
    target: &Target,
    running: &RunningTarget,
) -> anyhow::Result<Figures> {
    let stream = TcpStream::connect(running.public).await?;
    stream.set_nodelay(true)?;
    let (mut caller, connection) = handshake(TokioIo::new(stream)).await?;
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    // The first call starts the process, which may take longer than the warm-up.
    call(&mut caller, running.public).await?;
    let period = Period::begin(settings.lengths);
    let latencies = Latencies::new();
    let _progress = ProgressLine::of(format!("invoke {target}"), latencies.clone());
    let calling = async {
        loop {
            let start = Instant::now();
            call(&mut caller, running.public).await?;
            let end = Instant::now();
            if period.is_over(end) {
                return anyhow::Ok(());
            }
            if period.counts(end) {
                latencies.record(end - start);
            }
        }
    };
    let (cpu, called) = tokio::join!(period.cpu(running), calling);
    called?;
    let count = latencies.count() as f64;
    let mut figures = Figures::default();
    latencies.add_to(&mut figures);
    figures.add("calls_per_s", count / period.seconds());
    figures.add("cpu_us_per_call", cpu?.as_secs_f64() * 1e6 / count);
    Ok(figures)
}

async fn call(caller: &mut SendRequest<Full<Bytes>>, runner: SocketAddr) -> anyhow::Result<()> {
    caller.ready().await?;
    let request = Request::post("/functions/empty/invocations")
        .header(HOST, runner.to_string())
        .header(AUTHORIZATION, format!("Bearer {OPERATOR}"))
        .body(Full::from("{}"))?;
    let answer = caller.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    ensure!(status == StatusCode::OK, "{status}: {}", String::from_utf8_lossy(&body));
    Ok(())
}
