//! What holds for the life of a connection whatever happens, and in whatever order.

use proptest::{collection::vec, prelude::*, sample::select};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::*;

const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
const LOST_MESSAGE: [End; 2] = [End::FAULT, End::TOO_LARGE];
const CLIENT: End = End::of(Some(CloseCode::Normal), EndReason::Client);

fn any_event() -> impl Strategy<Value = Event> {
    let sent = select(vec![End::SERVER, End::DRAIN, End::IDLE]);
    prop_oneof![
        Just(Event::Drain),
        Just(Event::Forwarded),
        Just(Event::Cut),
        Just(Event::Taken),
        sent.clone().prop_map(Event::CloseWaits),
        sent.prop_map(Event::Close),
        select(vec![CLIENT, End::TOO_LARGE]).prop_map(Event::SocketClosing),
        select(LOST_MESSAGE.to_vec()).prop_map(Event::Fault),
        select(vec![End::LOST, End::STALLED]).prop_map(Event::Unreachable),
        Just(Event::SocketEnded),
        Just(Event::Time),
    ]
}

/// Events, each with the milliseconds that pass before it.
fn any_events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    vec((0..4000_u64, any_event()), 0..40)
}

/// Which end has been announced or reached, once one has.
fn known_end(life: &Life) -> Option<End> {
    match life.stage {
        Stage::Open | Stage::Draining { .. } => None,
        Stage::Closing(Closing { end, .. }) | Stage::Ended(end) => Some(end),
    }
}

proptest! {
    #[test]
    fn a_life_ends_once(events in any_events()) {
        let mut life = Life::new(CLOSE_TIMEOUT);
        let mut now = Instant::now();
        let mut abandoned = 0;
        for (pause, event) in events {
            now += Duration::from_millis(pause);
            abandoned += u32::from(life.on(event, now) == Action::Abandon);
            prop_assert_eq!(life.ended().is_some(), abandoned == 1);
        }
        prop_assert!(abandoned <= 1);
    }

    #[test]
    fn the_first_reason_wins_unless_a_message_was_lost(events in any_events()) {
        let mut life = Life::new(CLOSE_TIMEOUT);
        let mut now = Instant::now();
        for (pause, event) in events {
            now += Duration::from_millis(pause);
            let before = known_end(&life);
            life.on(event, now);
            let Some(before) = before else { continue };
            let after = known_end(&life).expect("a connection is never opened again");
            // The code is what the client was told or has told, which nothing changes.
            prop_assert_eq!(after.code, before.code);
            match event {
                Event::Fault(fault) => prop_assert_eq!(after.reason, fault.reason),
                _ => prop_assert_eq!(after.reason, before.reason),
            }
        }
    }

    #[test]
    fn nothing_is_written_after_a_close(events in any_events()) {
        let mut life = Life::new(CLOSE_TIMEOUT);
        let mut now = Instant::now();
        let mut closed = false;
        for (pause, event) in events {
            now += Duration::from_millis(pause);
            let action = life.on(event, now);
            if let Action::SendClose(end) = action {
                prop_assert!(!closed, "a second Close");
                prop_assert_eq!(known_end(&life), Some(end));
            }
            let closes = [Action::ShutMailbox, Action::Abandon].contains(&action);
            closed |= closes || matches!(action, Action::SendClose(_));
            prop_assert_eq!(life.is_open(), !closed);
        }
    }

    #[test]
    fn no_deadline_is_in_the_past_when_it_is_set(events in any_events()) {
        let mut life = Life::new(CLOSE_TIMEOUT);
        let mut now = Instant::now();
        for (pause, event) in events {
            now += Duration::from_millis(pause);
            let before = life.deadline();
            life.on(event, now);
            if life.deadline() != before && let Some(deadline) = life.deadline() {
                prop_assert!(deadline > now);
            }
        }
    }

    /// Whoever sleeps until the deadline and then says so never waits for ever.
    #[test]
    fn a_closing_connection_ends_when_its_deadline_has_passed(events in any_events()) {
        let mut life = Life::new(CLOSE_TIMEOUT);
        let mut now = Instant::now();
        for (pause, event) in events {
            now += Duration::from_millis(pause);
            life.on(event, now);
        }
        let has_deadline = life.deadline().is_some();
        prop_assert_eq!(has_deadline, life.ended().is_none() && (life.waiting.is_some() || !life.is_open()));
        if let Some(deadline) = life.deadline() {
            let early = deadline.checked_sub(Duration::from_millis(1)).expect("time has passed");
            prop_assert_eq!(life.on(Event::Time, early), Action::Nothing);
            prop_assert_eq!(life.on(Event::Time, deadline), Action::Abandon);
        }
    }

    #[test]
    fn a_drain_asks_for_one_close(events in any_events()) {
        let mut life = Life::new(CLOSE_TIMEOUT);
        let mut now = Instant::now();
        let (mut drains, mut asked) = (false, 0);
        for (pause, event) in events {
            now += Duration::from_millis(pause);
            let was_open = life.is_open();
            let action = life.on(event, now);
            drains |= matches!(event, Event::Drain) && was_open;
            if let Action::QueueClose(end) = action {
                prop_assert_eq!(end, End::DRAIN);
                prop_assert!(drains && was_open && matches!(event, Event::Forwarded));
                asked += 1;
            }
            prop_assert_eq!(life.is_draining(), drains && life.is_open());
        }
        prop_assert!(asked <= 1);
    }
}

#[test]
fn a_close_that_the_client_never_read_has_no_code() {
    let mut life = Life::new(CLOSE_TIMEOUT);
    let now = Instant::now();
    life.on(Event::CloseWaits(End::SERVER), now);
    // A later wish changes neither the end nor the deadline.
    life.on(Event::CloseWaits(End::DRAIN), now + CLOSE_TIMEOUT / 2);
    assert_eq!(life.on(Event::Time, now + CLOSE_TIMEOUT), Action::Abandon);
    assert_eq!(life.ended(), Some(End::of(None, EndReason::Server)));
}

#[test]
fn a_close_waits_for_as_long_as_the_client_reads() {
    for close in [Event::CloseWaits(End::SERVER), Event::SocketClosing(CLIENT)] {
        let mut life = Life::new(CLOSE_TIMEOUT);
        let mut now = Instant::now();
        life.on(close, now);
        for _ in 0..10 {
            now += CLOSE_TIMEOUT * 9 / 10;
            life.on(Event::Taken, now);
        }
        assert_eq!(life.deadline(), Some(now + CLOSE_TIMEOUT));
        life.on(Event::Cut, now);
        life.on(Event::Taken, now + CLOSE_TIMEOUT / 2);
        assert_eq!(life.deadline(), Some(now + CLOSE_TIMEOUT), "a drain does not wait");
    }
}

#[test]
fn an_unanswered_close_ends_as_it_was_announced() {
    let mut life = Life::new(CLOSE_TIMEOUT);
    let now = Instant::now();
    assert_eq!(life.on(Event::Close(End::IDLE), now), Action::SendClose(End::IDLE));
    assert_eq!(life.on(Event::SocketEnded, now), Action::Abandon);
    assert_eq!(life.ended(), Some(End::IDLE));
}

#[test]
fn a_message_that_is_lost_after_the_end_changes_the_reason_alone() {
    let mut life = Life::new(CLOSE_TIMEOUT);
    let now = Instant::now();
    life.on(Event::SocketClosing(CLIENT), now);
    life.on(Event::SocketEnded, now);
    assert_eq!(life.on(Event::Fault(End::FAULT), now), Action::Nothing);
    assert_eq!(life.ended(), Some(End::of(CLIENT.code, EndReason::Fault)));
    assert!(life.is_fault());
}
