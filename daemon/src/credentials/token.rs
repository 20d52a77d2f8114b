//! Access tokens. No message and no log shows more of one than its first four characters.

use std::{fmt, net::SocketAddr, sync::Arc};

use http::HeaderValue;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{settings::Secret, telemetry::Redaction};

/// A token of 16 random bytes cannot be guessed, and it may be written in few characters.
const BYTES_MIN: usize = 16;
const BYTES_MAX: usize = 256;
/// What a token consists of, in words. A URL takes all of these characters as they are.
pub const TOKEN_VALUES: &str = "16 to 256 letters, digits, -, ., _ and ~";

/// A text that opens routes of an internal listener.
#[derive(Clone)]
pub struct AccessToken {
    secret: Secret,
    /// The log shows no token, whoever writes the line.
    #[expect(dead_code, reason = "held, not read")]
    redaction: Arc<Redaction>,
}

impl AccessToken {
    /// A new token of 244 random bits.
    pub fn random() -> Self {
        let text = [Uuid::new_v4(), Uuid::new_v4()].map(|half| half.simple().to_string());
        Self::redacted(Secret::new(text.concat()))
    }

    /// What is wrong with `text` as a token, and what would be right. Does not show it.
    pub fn check(text: &str) -> Result<(), String> {
        let right = format!("use {TOKEN_VALUES}, such as from openssl rand -hex 32");
        if text.len() < BYTES_MIN {
            return Err(format!("is shorter than {BYTES_MIN} characters; {right}"));
        }
        let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if text.len() > BYTES_MAX || !text.bytes().all(is_sound) {
            return Err(format!("is not a token; {right}"));
        }
        Ok(())
    }

    /// The token in `secret`. The error is that of [`Self::check`].
    pub fn new(secret: Secret) -> Result<Self, String> {
        Self::check(secret.reveal())?;
        Ok(Self::redacted(secret))
    }

    fn redacted(secret: Secret) -> Self {
        let redaction = Arc::new(Redaction::of(secret.reveal()));
        Self { secret, redaction }
    }

    /// Whether `presented` is this token. Takes the same time for each text of the same length.
    pub fn matches(&self, presented: &str) -> bool {
        self.secret.reveal().as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// The value of `Authorization` with this token. Debug output does not show it.
    pub fn bearer(&self) -> HeaderValue {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.secret.reveal()))
            .expect("a token is visible ASCII");
        value.set_sensitive(true);
        value
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        self.secret.reveal()
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.reveal())
    }
}

impl Eq for AccessToken {}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").finish_non_exhaustive()
    }
}

/// Whether a peer at `address` is on this machine.
pub fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn a_token_is_compared_and_not_shown() {
        let [one, other] = [AccessToken::random(), AccessToken::random()];
        assert!(one.matches(one.reveal()) && one == one.clone());
        assert!(one != other && !one.matches(&one.reveal()[1..]) && !one.matches(""));
        let shown = format!("{one:?} {:?}", one.bearer());
        assert!(!shown.contains(&one.reveal()[..4]), "{shown}");
        AccessToken::check(one.reveal()).unwrap();
    }

    #[test]
    fn a_text_that_is_no_token_is_not_shown_in_the_problem() {
        for (text, words) in [
            ("hunter2-hunter2", "is shorter than 16 characters; use 16 to 256 letters"),
            ("hunter2+hunter2+hunter2", "is not a token; use 16 to 256 letters"),
            ("hunter2 hunter2 hunter2", "is not a token"),
            (&"hunter2".repeat(40), "is not a token"),
        ] {
            let problem = AccessToken::new(Secret::new(text)).unwrap_err();
            assert!(problem.starts_with(words) && !problem.contains("hunter"), "{problem}");
        }
    }

    #[test]
    fn this_machine_is_known_by_each_of_its_loopback_addresses() {
        let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        assert!(is_loopback((Ipv4Addr::new(127, 9, 9, 9), 1).into()));
        assert!(is_loopback((Ipv6Addr::LOCALHOST, 1).into()) && is_loopback((mapped, 1).into()));
        assert!(!is_loopback((Ipv4Addr::UNSPECIFIED, 1).into()));
        assert!(!is_loopback((Ipv4Addr::new(10, 0, 0, 1), 1).into()));
    }
}
