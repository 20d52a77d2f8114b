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

impl Validity {
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
