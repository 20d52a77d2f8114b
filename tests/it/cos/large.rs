//! Large objects stream through the store.

use std::{env, fs};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::server::{Runs, client, end, long, url};
use crate::support::{process::Process, soon};

/// The size of the object in MiB; `LONGHOLD_COS_MIB` sets another one.
const MIB: u64 = 64;
/// What the process may have in memory at any time.
const MEMORY_MAX_KIB: u64 = 64 << 10;

/// The most memory that the process has had, in KiB.
fn peak_kib(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_object_streams_in_and_out_with_little_memory() {
    let mib = env::var("LONGHOLD_COS_MIB").map_or(MIB, |mib| mib.parse().unwrap());
    let runs = Runs::new();
    let store = runs.start().await;
    let (address, client) = (store.address("internal"), client());
    let piece =
        Bytes::from((0..1_u32 << 20).map(|number| (number % 251) as u8).collect::<Vec<_>>());
    let pieces = stream::iter((0..mib).map({
        let piece = piece.clone();
        move |_| Ok::<_, std::io::Error>(Frame::data(piece.clone()))
    }));
    let request = client.put(url(address, "large")).header("content-length", mib << 20);
    let body = reqwest::Body::wrap(StreamBody::new(pieces));
    let put = long("the put", request.body(body).send()).await.unwrap();
    assert_eq!(put.status(), 200);
    let mut got = client.get(url(address, "large")).send().await.unwrap();
    assert_eq!(got.content_length(), Some(mib << 20));
    let mut received = 0_usize;
    while let Some(bytes) = soon("more of the object", got.chunk()).await.unwrap() {
        let begin = received % piece.len();
        let first = bytes.len().min(piece.len() - begin);
        assert_eq!(bytes[..first], piece[begin..begin + first]);
        received += bytes.len();
    }
    assert_eq!(received as u64, mib << 20);
    let peak = peak_kib(&store);
    eprintln!("{mib} MiB in and out, {peak} KiB of memory");
    assert!(peak < MEMORY_MAX_KIB, "{peak} KiB");
    end(store).await;
}
