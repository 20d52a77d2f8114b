//! From when and until when a certificate is valid.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use x509_parser::{certificate, time::ASN1Time};

/// The two ends of the time of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    begin: SystemTime,
    end: SystemTime,
}

/// How much of its time a certificate has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Enough,
    /// Less than [`LITTLE`].
    Little,
    Nothing,
}

/// Certificates of public authorities are renewed earlier than this.
const LITTLE: Duration = Duration::from_hours(14 * 24);

impl Validity {
    /// The end, as in the log.
    pub(super) fn end(&self) -> impl fmt::Display {
        Date(self.end)
    }

    /// A third of the whole time.
    pub(super) fn third(self) -> Duration {
        self.end.duration_since(self.begin).unwrap_or_default() / 3
    }

    /// From when on a third of the time is left.
    pub(super) fn last_third(self) -> SystemTime {
        self.end - self.third()
    }

    /// The one of the two that ends first.
    pub(super) fn that_ends_first(self, other: Self) -> Self {
        if other.end < self.end { other } else { self }
    }

    /// How much time is left at `now`.
    pub(super) fn left(&self, now: SystemTime) -> Left {
        match self.end.duration_since(now) {
            Err(_) => Left::Nothing,
            Ok(left) if left < LITTLE => Left::Little,
            Ok(_) => Left::Enough,
        }
    }

    #[cfg(test)]
    pub(super) fn between(begin: SystemTime, end: SystemTime) -> Self {
        Self { begin, end }
    }

    pub(super) fn of(validity: &certificate::Validity) -> Self {
        Self { begin: system_time(validity.not_before), end: system_time(validity.not_after) }
    }

    /// Why a certificate cannot be used at `now`, and what would be right.
    pub(super) fn problem(&self, now: SystemTime) -> Option<String> {
        if now < self.begin {
            let begin = Date(self.begin);
            return Some(format!(
                "is valid from {begin} on only; look at the clock of this machine"
            ));
        }
        (now > self.end).then(|| format!("expired at {}; renew it", Date(self.end)))
    }
}

/// A time as in the log.
#[derive(Debug)]
struct Date(SystemTime);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(self.0).fmt(f)
    }
}

/// Certificates have no time before 1950. One before 1970 is as good as 1970 here.
fn system_time(time: ASN1Time) -> SystemTime {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_with_less_than_14_days_has_little_left() {
        let end = SystemTime::UNIX_EPOCH + Duration::from_hours(1000 * 24);
        let validity = Validity { begin: SystemTime::UNIX_EPOCH, end };
        let left = |before: Duration| validity.left(end - before);
        assert_eq!(left(LITTLE), Left::Enough);
        assert_eq!(left(LITTLE - Duration::from_secs(1)), Left::Little);
        assert_eq!(left(Duration::ZERO), Left::Little);
        assert_eq!(validity.left(end + Duration::from_secs(1)), Left::Nothing);
    }
}
