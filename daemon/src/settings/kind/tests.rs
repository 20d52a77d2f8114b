//! What each kind of value takes, and what it does not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Debug;

use super::*;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Each of the `cases` is a value in TOML, and what is read of it.
#[track_caller]
fn check<T: PartialEq + Debug>(kind: &Kind<T>, cases: &[(&str, Option<T>)]) {
    for (text, expected) in cases {
        let value: Value = text.parse().unwrap();
        assert_eq!(kind.parse(&value), *expected, "{text}");
    }
}

#[test]
fn bytes_come_as_a_number_or_with_a_unit() {
    check(
        &bytes(1..=usize::MAX),
        &[
            ("65536", Some(65536)),
            (r#""65536""#, Some(65536)),
            (r#""512B""#, Some(512)),
            (r#""64KiB""#, Some(64 << 10)),
            (r#""64 KiB""#, Some(64 << 10)),
            (r#""1MiB""#, Some(1 << 20)),
            (r#""2GiB""#, Some(2 << 30)),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("true", None),
            (r#""""#, None),
            (r#""KiB""#, None),
            (r#""1.5MiB""#, None),
            (r#""-1KiB""#, None),
            (r#""64KB""#, None),
            (r#""64kib""#, None),
            (r#""64µB""#, None),
            (r#""64 Ki B""#, None),
        ],
    );
}

#[test]
fn too_many_bytes_do_not_overflow() {
    let all = bytes(0..=usize::MAX);
    let max = usize::MAX.to_string();
    check(&all, &[(&format!("\"{max}\""), Some(usize::MAX))]);
    check(&all, &[(&format!("\"{max}0\""), None), (&format!("\"{max}KiB\""), None)]);
    check(&all, &[(r#""18014398509481984KiB""#, None)]);
    check(&bytes(2..=1024), &[("1", None), (r#""1KiB""#, Some(1024)), ("1025", None)]);
    assert_eq!(
        bytes(1..=1024).expected(),
        "a number of bytes from 1B to 1KiB, such as 65536 or \"64KiB\""
    );
}

#[test]
fn durations_have_a_unit_and_a_range() {
    check(
        &duration(Duration::from_millis(1)..=seconds(3600)),
        &[
            (r#""15s""#, Some(seconds(15))),
            (r#""1m 30s""#, Some(seconds(90))),
            (r#""1ms""#, Some(Duration::from_millis(1))),
            (r#""1h""#, Some(seconds(3600))),
            (r#""999us""#, None),
            (r#""0s""#, None),
            (r#""3601s""#, None),
            (r#""99999999999999999999s""#, None),
            (r#""18446744073709551615y""#, None),
            (r#""-1s""#, None),
            (r#""15""#, None),
            (r#""soon""#, None),
            (r#""""#, None),
            ("15", None),
            ("1.5", None),
        ],
    );
}

/// The examples in a message must be valid themselves.
#[test]
fn examples_of_durations_are_within_the_range() {
    let check = |range, expected: &str| assert_eq!(duration(range).expected(), expected);
    let minute = seconds(60);
    check(minute..=15 * minute, "a duration from 1m to 15m, such as \"10m\"");
    check(seconds(3)..=5 * minute, "a duration from 3s to 5m, such as \"15s\"");
    check(seconds(0)..=60 * minute, "a duration from 0s to 1h, such as \"15s\" or \"10m\"");
    check(seconds(1)..=seconds(5), "a duration from 1s to 5s, such as \"5s\"");
}

#[test]
fn counts_are_whole_numbers_within_their_range() {
    let cases = [
        ("1", Some(1)),
        ("0x0a", Some(10)),
        ("0", None),
        ("11", None),
        ("-1", None),
        ("1.0", None),
        (r#""1""#, None),
    ];
    check(&count(1..=10), &cases);
}

#[test]
fn flags_are_not_numbers() {
    let cases = [("true", Some(true)), ("false", Some(false)), ("1", None), (r#""true""#, None)];
    check(&flag(), &cases);
}

#[test]
fn texts_are_not_empty() {
    check(&text(), &[(r#"" ""#, Some(" ".to_owned())), (r#""""#, None), ("1", None)]);
}

#[test]
fn addresses_have_an_ip_address_and_a_port() {
    let address = |text: &str| Some(text.parse().unwrap());
    check(
        &super::address(),
        &[
            (r#""127.0.0.1:9000""#, address("127.0.0.1:9000")),
            (r#""[::]:0""#, address("[::]:0")),
            (r#""127.0.0.1""#, None),
            (r#""localhost:9000""#, None),
            (r#"":9000""#, None),
            (r#""127.0.0.1:65536""#, None),
            ("9000", None),
        ],
    );
}

#[test]
fn urls_are_of_http() {
    check(
        &url(),
        &[
            (r#""http://a.test:9002/x""#, Some(Url::parse("http://a.test:9002/x").unwrap())),
            (r#""https://a.test""#, Some(Url::parse("https://a.test").unwrap())),
            (r#""a.test:9002""#, None),
            (r#""ftp://a.test""#, None),
            (r#""http://""#, None),
            ("1", None),
        ],
    );
}

#[test]
fn relative_paths_start_at_the_base() {
    check(
        &path(Path::new("/etc/longhold")),
        &[
            (r#""web""#, Some("/etc/longhold/web".into())),
            (r#""/srv/web""#, Some("/srv/web".into())),
            (r#""""#, None),
            ("[]", None),
        ],
    );
}

#[test]
fn words_are_taken_as_they_are_spelled() {
    let kind = one_of([("text", 1), ("json", 2)]);
    check(&kind, &[(r#""json""#, Some(2)), (r#""JSON""#, None), (r#""""#, None), ("2", None)]);
    assert_eq!(kind.expected(), "\"text\" or \"json\"");
}
