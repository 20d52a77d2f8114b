//! The times of a keepalive, without a clock.

use proptest::{collection::vec, prelude::*};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const PING_INTERVAL: Duration = Duration::from_secs(25);
const PONG_TIMEOUT: Duration = Duration::from_secs(20);
const IDLE_TIMEOUT: Duration = Duration::from_secs(100);

fn keepalive(now: Instant) -> Keepalive {
    let settings = ConnectionSettings {
        max: 1,
        ping_interval: PING_INTERVAL,
        pong_timeout: PONG_TIMEOUT,
        write_timeout: SECOND,
        read_timeout: SECOND,
        receive_memory: None,
        close_timeout: SECOND,
        receive_queue: 1,
        send_queue: 1,
    };
    Keepalive::new(now, &settings, IDLE_TIMEOUT)
}

#[test]
fn a_silent_client_is_pinged_once_then_lost() {
    let start = Instant::now();
    let mut keepalive = keepalive(start);
    assert_eq!(keepalive.due(start + 24 * SECOND), Due::Nothing);
    assert_eq!(keepalive.deadline(), start + 25 * SECOND);
    assert_eq!(keepalive.due(start + 25 * SECOND), Due::Ping);
    assert_eq!(keepalive.due(start + 25 * SECOND), Due::Nothing);
    assert_eq!(keepalive.deadline(), start + 45 * SECOND);
    assert_eq!(keepalive.due(start + 44 * SECOND), Due::Nothing);
    assert_eq!(keepalive.due(start + 45 * SECOND), Due::Lost);
}

/// The pong timeout begins when the ping is sent, however late that is.
#[test]
fn a_late_ping_leaves_the_whole_time_for_the_pong() {
    let start = Instant::now();
    let mut keepalive = keepalive(start);
    assert_eq!(keepalive.due(start + 60 * SECOND), Due::Ping);
    assert_eq!(keepalive.due(start + 79 * SECOND), Due::Nothing);
    assert_eq!(keepalive.due(start + 80 * SECOND), Due::Lost);
}

#[test]
fn a_client_that_answers_at_once_is_pinged_at_each_interval() {
    let start = Instant::now();
    let mut keepalive = keepalive(start);
    for pinged in [25, 50, 75] {
        assert_eq!(keepalive.deadline(), start + pinged * SECOND);
        assert_eq!(keepalive.due(start + pinged * SECOND), Due::Ping, "after {pinged} s");
        keepalive.heard(start + pinged * SECOND);
    }
}

/// The intervals of pings do not depend on the answers.
#[test]
fn a_client_is_pinged_again_while_its_answer_is_awaited() {
    let start = Instant::now();
    let mut keepalive = keepalive(start);
    keepalive.pong_timeout = 60 * SECOND;
    for pinged in [25, 50, 75] {
        assert_eq!(keepalive.due(start + pinged * SECOND), Due::Ping, "after {pinged} s");
    }
    assert_eq!(keepalive.deadline(), start + 85 * SECOND, "its first ping was at 25 s");
    assert_eq!(keepalive.due(start + 85 * SECOND), Due::Lost);
}

/// What it has answered cannot be known. It and the proxies before it still get a ping.
#[test]
fn a_client_that_is_not_read_from_is_pinged_and_not_lost() {
    let start = Instant::now();
    let mut keepalive = keepalive(start);
    keepalive.set_reading(false, || start);
    for pinged in [25, 50, 75] {
        assert_eq!(keepalive.deadline(), start + pinged * SECOND);
        assert_eq!(keepalive.due(start + pinged * SECOND), Due::Ping, "after {pinged} s");
    }
    keepalive.set_reading(true, || start + 78 * SECOND);
    keepalive.set_reading(true, || start + 79 * SECOND);
    assert_eq!(keepalive.due(start + 97 * SECOND), Due::Nothing);
    assert_eq!(keepalive.due(start + 98 * SECOND), Due::Lost);
}

#[test]
fn a_client_that_answers_pings_is_idle_without_messages() {
    let start = Instant::now();
    let mut keepalive = keepalive(start);
    for (pinged, answered) in [(25, 30), (55, 56), (81, 100)] {
        assert_eq!(keepalive.due(start + pinged * SECOND), Due::Ping, "after {pinged} s");
        if answered < 100 {
            keepalive.heard(start + answered * SECOND);
        }
    }
    assert_eq!(keepalive.due(start + 99 * SECOND), Due::Nothing);
    assert_eq!(keepalive.deadline(), start + 100 * SECOND);
    assert_eq!(keepalive.due(start + 100 * SECOND), Due::Idle);
}

/// A message that the gateway writes proves nothing about the client.
#[test]
fn a_message_defers_idleness_and_no_ping() {
    let start = Instant::now();
    let mut keepalive = keepalive(start);
    keepalive.message(start + 20 * SECOND);
    assert_eq!(keepalive.due(start + 25 * SECOND), Due::Ping);
    keepalive.heard(start + 26 * SECOND);
    keepalive.message(start + 50 * SECOND);
    keepalive.heard(start + 149 * SECOND);
    assert_eq!(keepalive.due(start + 149 * SECOND), Due::Nothing);
    assert_eq!(keepalive.due(start + 150 * SECOND), Due::Idle);
}

/// What happens to a connection, and how much later.
#[derive(Debug, Clone, Copy)]
enum Event {
    Heard(u64),
    Message(u64),
    Reading(bool),
    Deadline,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..40_000_u64).prop_map(Event::Heard),
        (0..40_000_u64).prop_map(Event::Message),
        any::<bool>().prop_map(Event::Reading),
        Just(Event::Deadline),
    ]
}

proptest! {
    /// So a timer that is set to the deadline is neither late nor early, and never spins.
    #[test]
    fn something_is_due_at_the_deadline_and_nothing_before(events in vec(event(), 0..30)) {
        let mut now = Instant::now();
        let mut keepalive = keepalive(now);
        for event in events {
            let deadline = keepalive.deadline();
            prop_assert!(deadline > now);
            if let Event::Reading(reading) = event {
                keepalive.set_reading(reading, || now);
                continue;
            }
            let (Event::Heard(after) | Event::Message(after)) = event else {
                now = deadline;
                match keepalive.due(now) {
                    Due::Ping => prop_assert_eq!(keepalive.due(now), Due::Nothing),
                    Due::Lost | Due::Idle => return Ok(()),
                    Due::Nothing => prop_assert!(false, "nothing is due at the deadline"),
                }
                continue;
            };
            // The connection acts on a deadline before anything that comes after it.
            now = (now + Duration::from_millis(after)).min(deadline - Duration::from_millis(1));
            prop_assert_eq!(keepalive.due(now), Due::Nothing);
            match event {
                Event::Heard(_) => keepalive.heard(now),
                Event::Message(_) => keepalive.message(now),
                Event::Reading(_) | Event::Deadline => {}
            }
        }
    }
}
