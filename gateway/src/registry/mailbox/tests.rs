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

/// Puts a message in. There is no memory beyond the room of the mailbox.
fn offer(mailbox: &Mailbox, bytes: usize, deadline: Instant) -> Result<Offered, NotOffered> {
    let overflow = &Overflow::new(0);
    mailbox.offer(message(bytes), Terms { began: Instant::now(), deadline, overflow })
}

fn queued(mailbox: &Mailbox, bytes: usize) -> Receipt {
    match offer(mailbox, bytes, later()) {
        Ok(Offered::Queued(receipt)) => receipt,
        other => panic!("not queued: {other:?}"),
    }
}

#[test]
fn full_and_gone_are_different_answers() {
    let mailbox = open(300);
    let _first = queued(&mailbox, 100);
    assert_eq!(offer(&mailbox, 200, later()).unwrap_err(), NotOffered::Full);
    mailbox.shut();
    assert_eq!(offer(&mailbox, 1, later()).unwrap_err(), NotOffered::Gone);
}

#[test]
fn one_message_is_taken_whatever_its_size() {
    let mailbox = open(10);
    let _big = queued(&mailbox, 1000);
    assert_eq!(offer(&mailbox, 0, later()).unwrap_err(), NotOffered::Full);
}

#[test]
fn empty_messages_have_a_bound_too() {
    let mailbox = open(1000);
    let taken = (0..).take_while(|_| offer(&mailbox, 0, later()).is_ok()).count();
    assert_eq!(taken, 1000 / message(0).weight());
}

#[test]
fn a_withdrawn_message_is_never_taken_out_and_frees_its_bytes() {
    let mailbox = open(300);
    let first = queued(&mailbox, 50);
    let second = queued(&mailbox, 50);
    assert!(mailbox.withdraw(&first, Instant::now()));
    assert!(!mailbox.withdraw(&first, Instant::now()));
    let _third = queued(&mailbox, 50);
    assert_eq!(mailbox.take(1 << 20, Instant::now()).letters.len(), 2);
    assert!(!mailbox.withdraw(&second, Instant::now()));
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
    assert!(matches!(offer(&mailbox, 1, later()), Ok(Offered::Held)));
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
    assert_eq!(offer(&mailbox, 1, later()).unwrap_err(), NotOffered::Gone);
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
    assert!(matches!(offer(&mailbox, 1, now), Ok(Offered::Held)));
    mailbox.open();
    let mut expired = match offer(&mailbox, 2, now) {
        Ok(Offered::Queued(receipt)) => receipt,
        other => panic!("not queued: {other:?}"),
    };
    let _third = queued(&mailbox, 3);
    let batch = mailbox.take(1000, late);
    let sizes: Vec<_> = batch.letters.iter().map(|(message, _)| message.len()).collect();
    assert_eq!(sizes, [1, 3], "what register pushed has no deadline");
    assert_eq!(expired.written.try_recv(), Ok(Delivery::Expired));
    assert!(!mailbox.withdraw(&expired, Instant::now()));
}

const TIMEOUT: Duration = Duration::from_secs(1);

/// Puts an empty message in at `began`. Each takes 256 bytes of the overflow.
fn overflowing(
    mailbox: &Mailbox,
    overflow: &Overflow,
    began: Instant,
) -> Result<Receipt, NotOffered> {
    match mailbox.offer(message(0), Terms { began, deadline: began + TIMEOUT, overflow })? {
        Offered::Queued(receipt) => Ok(receipt),
        Offered::Held => panic!("it is open"),
    }
}

#[test]
fn a_full_mailbox_takes_more_in_order_while_its_client_reads() {
    let (mailbox, overflow) = (open(100), Overflow::new(4 * 256 * 20));
    let start = Instant::now();
    let receipts: Vec<_> =
        (0..21).map(|_| overflowing(&mailbox, &overflow, start).unwrap()).collect();
    assert_eq!(receipts.iter().filter(|receipt| receipt.overflows).count(), 20);
    assert_eq!(overflowing(&mailbox, &overflow, start).unwrap_err(), NotOffered::Full);
    // A message that would fit comes behind those that did not.
    assert_eq!(mailbox.take(2 * 64, start).letters.len(), 2);
    let last = overflowing(&mailbox, &overflow, start).unwrap();
    assert!(last.overflows);
    for (number, mut receipt) in (2..).zip(receipts.into_iter().skip(2).chain([last])) {
        let (_, written) = mailbox.take(1, start).letters.pop().unwrap();
        written.send(Delivery::Written).unwrap();
        assert_eq!(receipt.written.try_recv(), Ok(Delivery::Written), "message {number}");
    }
    assert!(mailbox.take(1, start).letters.is_empty());
}

#[test]
fn a_client_that_has_taken_nothing_for_the_time_of_a_push_has_no_overflow() {
    let (mailbox, overflow) = (open(100), Overflow::new(1 << 20));
    let start = Instant::now();
    let after = |tenths: u32| start + TIMEOUT * tenths / 10;
    let offer = |tenths| overflowing(&mailbox, &overflow, after(tenths));
    // While nothing waits for the client, nobody knows how long it will need.
    let mut receipts: Vec<_> = [0, 0, 9].into_iter().map(|at| offer(at).unwrap()).collect();
    assert_eq!(offer(10).unwrap_err(), NotOffered::Full);
    assert_eq!(mailbox.take(1, after(9)).letters.len(), 1);
    receipts.push(offer(18).unwrap());
    assert_eq!(offer(19).unwrap_err(), NotOffered::Full);
    mailbox.progress(after(19));
    receipts.push(offer(28).unwrap());
    assert_eq!(offer(29).unwrap_err(), NotOffered::Full);
    // The others have expired, and then nothing waits for the client.
    assert_eq!(mailbox.take(1 << 10, after(40)).letters.len(), 0);
    receipts.extend([offer(90).unwrap(), offer(90).unwrap()]);
}

#[test]
fn the_overflow_has_a_bound_for_each_mailbox_and_for_all() {
    let overflow = Overflow::new(4 * 256);
    let start = Instant::now();
    let mailboxes: Vec<_> = (0..5).map(|_| open(1)).collect();
    let firsts: Vec<_> =
        mailboxes.iter().map(|mailbox| overflowing(mailbox, &overflow, start).unwrap()).collect();
    let mut receipts = Vec::new();
    for mailbox in &mailboxes[..4] {
        receipts.push(overflowing(mailbox, &overflow, start).unwrap());
        assert_eq!(overflowing(mailbox, &overflow, start).unwrap_err(), NotOffered::Full);
    }
    let last = &mailboxes[4];
    assert_eq!(overflowing(last, &overflow, start).unwrap_err(), NotOffered::Full);
    // What leaves a mailbox, in whatever way, makes place for another.
    assert!(mailboxes[0].withdraw(&receipts[0], start));
    let again = overflowing(last, &overflow, start).unwrap();
    assert!(last.withdraw(&again, start));
    let leaves: [fn(&Mailbox, Instant); 3] = [
        |mailbox, now| drop(mailbox.take(1 << 10, now)),
        |mailbox, now| drop(mailbox.take(1 << 10, now + TIMEOUT)),
        |mailbox, _| mailbox.shut(),
    ];
    for leave in leaves {
        let mailbox = open(1);
        let _both = [(); 2].map(|()| overflowing(&mailbox, &overflow, start).unwrap());
        assert_eq!(overflowing(last, &overflow, start).unwrap_err(), NotOffered::Full);
        leave(&mailbox, start);
        let again = overflowing(last, &overflow, start).unwrap();
        assert!(last.withdraw(&again, start));
    }
    drop(firsts);
}

/// The register function that pushes may wait for the answer.
#[test]
fn a_mailbox_of_a_connection_that_is_being_opened_has_no_overflow() {
    let (mailbox, overflow) = (Mailbox::new(100), Overflow::new(1 << 20));
    let terms = Terms { began: Instant::now(), deadline: later(), overflow: &overflow };
    assert!(matches!(mailbox.offer(message(0), terms), Ok(Offered::Held)));
    assert_eq!(mailbox.offer(message(0), terms).unwrap_err(), NotOffered::Full);
}

#[test]
fn messages_that_expire_together_are_dropped_together() {
    let mailbox = open(1000);
    let now = Instant::now();
    let queued = |deadline| match offer(&mailbox, 0, deadline) {
        Ok(Offered::Queued(receipt)) => receipt,
        other => panic!("not queued: {other:?}"),
    };
    let (mut first, mut second, third) = (queued(now), queued(now), queued(later()));
    assert!(!mailbox.withdraw(&second, now));
    assert_eq!(first.written.try_recv(), Ok(Delivery::Expired));
    assert_eq!(second.written.try_recv(), Ok(Delivery::Expired));
    assert!(mailbox.withdraw(&third, now));
}
