//! How often a body in gzip gives other tasks a turn, whatever its bytes are.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{io::Read, task::Waker};

use flate2::{Compression, read::GzEncoder};
use http_body_util::{BodyExt, Full};

use super::*;

/// `plain` in gzip, as one member.
fn member(plain: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    GzEncoder::new(plain, Compression::best()).read_to_end(&mut encoded).unwrap();
    encoded
}

/// Reads `encoded`, which comes at once. Returns how many plain bytes it has, and how often it gave
/// a turn.
fn read(encoded: Vec<u8>) -> (usize, usize) {
    let came = Full::new(Bytes::from(encoded)).map_err(|never| match never {});
    let mut body = GzipBody::new(came, 64 << 20);
    let (mut plain, mut turns) = (0, 0);
    loop {
        match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(frame)) => plain += frame.unwrap().into_data().unwrap().len(),
            Poll::Ready(None) => break,
            Poll::Pending => turns += 1,
        }
    }
    assert!(body.problem.is_none(), "{:?}", body.problem);
    (plain, turns)
}

#[test]
fn a_body_gives_turns_by_what_comes_and_by_what_becomes_of_it() {
    // Numbers that look random (xorshift) do not become shorter.
    let mut state = 1_u32;
    let noise: Vec<_> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    })
    .take(1 << 20)
    .collect();
    assert!(member(&noise).len() > noise.len());
    for (name, encoded) in [
        ("nothing", member(b"")),
        ("a short text", member(b"text")),
        ("many empty members", member(b"").repeat(10_000)),
        ("many members of one byte", member(b"x").repeat(10_000)),
        ("zeros", member(&[0; 32 << 20])),
        ("noise", member(&noise)),
    ] {
        let came = encoded.len();
        let (plain, turns) = read(encoded);
        let work = came * ENCODED_WEIGHT + plain;
        // A turn ends with a piece.
        let turn_max = TURN_BYTES + PIECE_BYTES * (ENCODED_WEIGHT + GROWTH_MAX as usize);
        let (least, most) = (work / turn_max, work / TURN_BYTES);
        assert!((least..=most).contains(&turns), "{name}: {came} to {plain} bytes, {turns} turns");
    }
}
