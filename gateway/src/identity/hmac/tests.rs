//! How far a date may be off.

use daemon::settings::Secret;

use super::*;

const SECRET: &str = "a-secret-of-16-bytes";

/// Headers whose date is `at`, signed by the owner of the pair.
fn signed(at: SystemTime) -> HeaderMap {
    let date = httpdate::fmt_http_date(at);
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("date: {date}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let authorization = format!(
        "hmac id=\"a\", algorithm=\"hmac-sha256\", headers=\"date\", signature=\"{signature}\""
    );
    let mut headers = HeaderMap::new();
    headers.insert(header::DATE, date.parse().unwrap());
    headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
    headers
}

#[test]
fn a_date_may_be_900_s_off_and_a_handshake_be_repeated_so_long() {
    let pairs = [KeyPair { id: "a".to_owned(), secret: Secret::new(SECRET) }];
    let made = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let headers = signed(made);
    for (seconds, expected) in [(0, None), (900, None), (901, Some(BAD_DATE))] {
        let by = Duration::from_secs(seconds);
        for now in [made + by, made - by] {
            assert_eq!(verify(&pairs, &headers, now).err(), expected, "{seconds} s");
        }
    }
    // A repeat cannot be told from a second device.
    assert_eq!(verify(&pairs, &headers, made), verify(&pairs, &headers, made));
}
