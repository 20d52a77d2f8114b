//! When a certificate is ordered: in time, and seldom enough for the limits of an authority.

use std::time::{Duration, SystemTime};

use super::super::validity::Validity;

/// The pauses after an order that the authority has not seen.
const UNREACHED: Pauses =
    Pauses { first: Duration::from_secs(1), longest: Duration::from_hours(1) };
/// Those after one that may count for its limits. Let's Encrypt allows 5 failures of a name in an
/// hour.
const REFUSED: Pauses = Pauses { first: Duration::from_mins(5), longest: Duration::from_hours(6) };

/// Pauses that double.
#[derive(Debug)]
struct Pauses {
    first: Duration,
    longest: Duration,
}

/// How far an order came that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The authority was not reached, or did not answer as one.
    Unreached,
    /// The authority said no, or the order failed after it was to connect to the listener.
    Refused,
}

/// The orders that failed since the last one that did not.
#[derive(Debug, Default)]
pub(super) struct Retries {
    unreached: u32,
    refused: u32,
}

impl Retries {
    /// How long to wait after another failure.
    pub(super) fn after(&mut self, cause: Cause) -> Duration {
        let (count, pauses) = match cause {
            Cause::Unreached => (&mut self.unreached, UNREACHED),
            Cause::Refused => (&mut self.refused, REFUSED),
        };
        let pause = pauses.first.saturating_mul(2_u32.saturating_pow(*count));
        *count = count.saturating_add(1);
        pause.min(pauses.longest)
    }
}

/// From when on another certificate is ordered.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// Not before this, whatever the certificate says.
    earliest: Option<SystemTime>,
}

impl Schedule {
    /// When a certificate is renewed: when a third of its time is left.
    pub(super) fn due(&self, validity: Validity) -> SystemTime {
        self.earliest.map_or(validity.last_third(), |earliest| earliest.max(validity.last_third()))
    }

    /// A certificate was issued at `now`. If the clock of this machine is wrong by months, the next
    /// one is due at once, and so on; each counts for the limits of the authority.
    pub(super) fn issued(&mut self, validity: Validity, now: SystemTime) {
        self.earliest = Some(now + validity.third());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn pauses_double_to_their_longest_and_an_authority_that_refuses_is_asked_seldom() {
        let mut retries = Retries::default();
        let unreached: Vec<_> =
            (0..14).map(|_| retries.after(Cause::Unreached).as_secs()).collect();
        assert_eq!(unreached[..4], [1, 2, 4, 8]);
        assert_eq!(unreached[11..], [2048, 3600, 3600]);
        let refused: Vec<_> =
            (0..9).map(|_| retries.after(Cause::Refused).as_secs() / 60).collect();
        assert_eq!(refused, [5, 10, 20, 40, 80, 160, 320, 360, 360]);
        for _ in 0..100 {
            retries.after(Cause::Refused);
        }
        assert_eq!(retries.after(Cause::Refused), REFUSED.longest);
    }

    #[test]
    fn a_certificate_is_renewed_when_a_third_of_its_time_is_left() {
        let begin = SystemTime::UNIX_EPOCH + 1000 * DAY;
        let validity = Validity::between(begin, begin + 90 * DAY);
        let mut schedule = Schedule::default();
        assert_eq!(schedule.due(validity), begin + 60 * DAY);
        schedule.issued(validity, begin);
        assert_eq!(schedule.due(validity), begin + 60 * DAY);
    }

    #[test]
    fn a_clock_that_is_wrong_orders_no_certificate_after_the_other() {
        let begin = SystemTime::UNIX_EPOCH + 1000 * DAY;
        let validity = Validity::between(begin, begin + 90 * DAY);
        let mut schedule = Schedule::default();
        let wrong = begin + 70 * DAY;
        schedule.issued(validity, wrong);
        assert_eq!(schedule.due(validity), wrong + 30 * DAY);
    }
}
