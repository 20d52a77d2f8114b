//! What a mailbox guarantees: order, a bound, and a true answer for every message.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use super::*;
use crate::registry::Message;

fn message(bytes: usize) -> Frame {
    Frame::from(Message::Binary(vec![0; bytes].into()))
}

/// Long after everything in these tests.
fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn open(capacity: usize) -> Mailbox {
    let mailbox = Mailbox::new(capacity);
    mailbox.open();
    mailbox
}

fn queued(mailbox: &Mailbox, bytes: usize) -> Receipt {
    match mailbox.offer(message(bytes), later()) {
        Ok(Offered::Queued(receipt)) => receipt,
        other => panic!("not queued: {other:?}"),
    }
}

#[test]
fn full_and_gone_are_different_answers() {
    let mailbox = open(300);
    let _first = queued(&mailbox, 100);
    assert_eq!(mailbox.offer(message(200), later()).unwrap_err(), NotOffered::Full);
    mailbox.shut();
    assert_eq!(mailbox.offer(message(1), later()).unwrap_err(), NotOffered::Gone);
}

#[test]
fn one_message_is_taken_whatever_its_size() {
    let mailbox = open(10);
    let _big = queued(&mailbox, 1000);
    assert_eq!(mailbox.offer(message(0), later()).unwrap_err(), NotOffered::Full);
}

#[test]
fn empty_messages_have_a_bound_too() {
    let mailbox = open(1000);
    let taken = (0..).take_while(|_| mailbox.offer(message(0), later()).is_ok()).count();
    assert_eq!(taken, 1000 / message(0).weight());
}

#[test]
fn a_withdrawn_message_is_never_taken_out_and_frees_its_bytes() {
    let mailbox = open(300);
    let first = queued(&mailbox, 50);
    let second = queued(&mailbox, 50);
    assert!(mailbox.withdraw(&first));
    assert!(!mailbox.withdraw(&first));
    let _third = queued(&mailbox, 50);
    assert_eq!(mailbox.take(1 << 20, Instant::now()).letters.len(), 2);
    assert!(!mailbox.withdraw(&second));
}

#[test]
fn a_waiting_pusher_is_notified_that_the_connection_is_gone() {
    let mailbox = open(300);
    let mut receipt = queued(&mailbox, 50);
    mailbox.shut();
    assert_eq!(receipt.written.try_recv(), Err(oneshot::error::TryRecvError::Closed));
}

#[test]
fn what_is_pushed_while_opening_is_held_and_comes_first() {
    let mailbox = Mailbox::new(1000);
    assert!(matches!(mailbox.offer(message(1), later()), Ok(Offered::Held)));
    mailbox.open();
    let _second = queued(&mailbox, 2);
    let sizes: Vec<_> =
        mailbox.take(1000, Instant::now()).letters.iter().map(|(m, _)| m.len()).collect();
    assert_eq!(sizes, [1, 2]);
}

#[test]
fn a_close_comes_after_what_is_queued_and_the_first_one_counts() {
    let mailbox = open(1000);
    let _message = queued(&mailbox, 100);
    let _other = queued(&mailbox, 100);
    assert!(mailbox.close(End::SERVER));
    assert!(mailbox.close(End::DRAIN));
    assert_eq!(mailbox.offer(message(1), later()).unwrap_err(), NotOffered::Gone);
    assert_eq!(mailbox.take(1, Instant::now()).close, None);
    assert_eq!(mailbox.take(1, Instant::now()).close, Some(End::SERVER));
    mailbox.shut();
    assert!(!mailbox.close(End::SERVER));
}

#[test]
fn a_message_is_not_taken_out_after_its_deadline() {
    let mailbox = Mailbox::new(1000);
    let now = Instant::now();
    let late = now + Duration::from_secs(1);
    assert!(matches!(mailbox.offer(message(1), now), Ok(Offered::Held)));
    mailbox.open();
    let mut expired = match mailbox.offer(message(2), now) {
        Ok(Offered::Queued(receipt)) => receipt,
        other => panic!("not queued: {other:?}"),
    };
    let _third = queued(&mailbox, 3);
    let batch = mailbox.take(1000, late);
    let sizes: Vec<_> = batch.letters.iter().map(|(message, _)| message.len()).collect();
    assert_eq!(sizes, [1, 3], "what register pushed has no deadline");
    assert_eq!(expired.written.try_recv(), Ok(Delivery::Expired));
    assert!(!mailbox.withdraw(&expired));
}
