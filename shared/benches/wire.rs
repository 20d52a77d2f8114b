//! The cost of reading and writing each shape of the wire contract.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::{borrow::Cow, hint::black_box};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shared::{
    data::{DataType, Payload},
    event::{TransmitEvent, transmit::DataSend},
    push::{Push, PushAction, PushAnswer, PushRequest, Targets},
    reply::RegisterReply,
};

const ID: &str = "6ppaYeGJTTOazqKsxlKxUAAAAA==";

fn transmit(data: &str) -> TransmitEvent<'_> {
    let (connection_id, data) = (Cow::Borrowed(ID), Cow::Borrowed(data));
    TransmitEvent { websocket: DataSend { connection_id, data_type: DataType::Text, data } }
}

fn push(targets: Targets, payload: Payload) -> Push {
    Push { targets, action: PushAction::Send(payload) }
}

fn events(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("event");
    for bytes in [128, 64 << 10] {
        let text = "x".repeat(bytes);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("encode transmit, {bytes} bytes"), |bencher| {
            bencher.iter(|| serde_json::to_vec(&transmit(black_box(&text))).unwrap());
        });
        let body = serde_json::to_vec(&transmit(&text)).unwrap();
        group.bench_function(format!("decode transmit, {bytes} bytes"), |bencher| {
            bencher.iter(|| {
                let event: TransmitEvent<'_> = serde_json::from_slice(black_box(&body)).unwrap();
                event.websocket.into_payload().unwrap()
            });
        });
    }
    group.finish();
}

fn pushes(criterion: &mut Criterion) {
    let one = || Targets::One(ID.to_owned());
    let many = Targets::Many(vec![ID.to_owned(); 1000]);
    let text = |bytes| Payload::Text("x".repeat(bytes));
    let cases = [
        ("text, 128 bytes", push(one(), text(128))),
        ("text, 65536 bytes", push(one(), text(64 << 10))),
        ("binary, 65536 bytes", push(one(), Payload::Binary(vec![0xa5; 64 << 10]))),
        ("text, 128 bytes to 1000", push(many, text(128))),
    ];
    let mut group = criterion.benchmark_group("push");
    for (name, push) in cases {
        let body = push.to_body();
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(format!("encode {name}"), |bencher| {
            bencher.iter(|| black_box(&push).to_body());
        });
        group.bench_function(format!("decode {name}"), |bencher| {
            bencher.iter(|| PushRequest::parse(black_box(&body), 10_000).unwrap());
        });
    }
    group.finish();
}

fn replies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reply");
    let body = include_bytes!("../golden/register-reply.json");
    group.bench_function("decode register", |bencher| {
        bencher.iter(|| RegisterReply::parse(black_box(body)).unwrap());
    });
    let body = br#"{"errNo":0,"errMsg":"ok"}"#;
    group.bench_function("decode push answer", |bencher| {
        bencher.iter(|| serde_json::from_slice::<PushAnswer>(black_box(body)).unwrap());
    });
    group.finish();
}

criterion_group!(wire, events, pushes, replies);
criterion_main!(wire);
