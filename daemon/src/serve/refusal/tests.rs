//! Bytes come and go as hyper reads and writes them, without sockets.

use super::*;

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const BAD: &str = "GET /?\" HTTP/1.1\r\nHost: localhost\r\n\r\n";
const BARE: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
const GENERIC: &str = "a URL needs its special characters percent-encoded, and a header";

/// A connection that a client has sent something on.
struct Connection {
    refusals: Refusals,
    last: LastRequest,
}

impl Connection {
    fn new() -> Self {
        let last = LastRequest { number: 0, body_bytes: None, stage: Stage::Other };
        Self { refusals: Refusals::new(), last }
    }

    fn receive(&mut self, bytes: &str) {
        let has_part = self.refusals.read_begins(self.last);
        if has_part || self.last.stage == Stage::Answered || self.last.number == 0 {
            self.last.stage = Stage::Head;
        }
        let refusal = self.refusals.received(bytes.as_bytes(), self.last.stage == Stage::Head);
        assert!(refusal.is_none(), "{refusal:?}");
    }

    /// The service gets a request, and answers it.
    fn answer(&mut self, body_bytes: Option<u64>) {
        self.begin(body_bytes);
        self.last.stage = Stage::Answered;
        assert!(self.refused(b"HTTP/1.1 404 x\r\ncontent-type: a\r\n\r\n").is_none());
        self.refusals.wrote(self.last);
        self.refusals.flushed(self.last);
    }

    fn begin(&mut self, body_bytes: Option<u64>) {
        let number = self.last.number + 1;
        self.last = LastRequest { number, body_bytes, stage: Stage::Other };
    }

    fn refused(&mut self, written: &[u8]) -> Option<Refusal> {
        let status = self.refusals.bare_status(written)?;
        self.refusals.in_place_of(status, self.last)
    }

    #[track_caller]
    fn check(mut self, reason: &str) {
        let refusal = self.refused(BARE).expect("a refusal");
        let answer = String::from_utf8_lossy(&refusal.answer);
        assert!(refusal.problem.contains(reason) && answer.ends_with("}"), "{refusal:?}");
    }
}

#[test]
fn the_reason_is_known_wherever_a_bad_head_is_cut() {
    for end in 0..BAD.len() {
        let mut connection = Connection::new();
        connection.receive(&[GET, &BAD[..end]].concat());
        connection.answer(Some(0));
        connection.receive(&BAD[end..]);
        connection.check("%22");
    }
}

#[test]
fn the_reason_is_known_of_a_head_that_came_with_requests_before() {
    let mut connection = Connection::new();
    connection.receive(&["POST / HTTP/1.1\r\n\r\n12345\r\n\r\n", GET, BAD].concat());
    connection.answer(Some(9));
    connection.answer(Some(0));
    connection.check("%22");
}

#[test]
fn the_reason_is_a_general_one_where_the_begin_is_not_known() {
    let chunked = "POST / HTTP/1.1\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let mut connection = Connection::new();
    connection.receive(&[chunked, BAD].concat());
    connection.answer(None);
    connection.check(GENERIC);
    let mut connection = Connection::new();
    connection.receive(&[chunked, "GET /?q=a"].concat());
    connection.answer(None);
    connection.receive("\"b HTTP/1.1\r\n\r\n");
    connection.check(GENERIC);
    // The next head comes by itself.
    let mut connection = Connection::new();
    connection.receive(chunked);
    connection.answer(None);
    connection.receive(BAD);
    connection.check("%22");
}

#[test]
fn a_body_does_not_hide_the_head_behind_it() {
    for body in [5, 100_000] {
        let mut connection = Connection::new();
        connection.receive("POST / HTTP/1.1\r\n\r\n");
        connection.begin(Some(body as u64));
        connection.receive(&"x".repeat(body));
        connection.last.number -= 1;
        connection.answer(Some(body as u64));
        connection.receive(BAD);
        connection.check("%22");
    }
}

#[test]
fn only_hyper_is_contradicted() {
    let mut connection = Connection::new();
    connection.receive(GET);
    connection.begin(Some(0));
    assert!(connection.refused(BARE).is_none(), "the service has not answered");
    connection.last.stage = Stage::Answered;
    assert!(connection.refused(BARE).is_none(), "it is the answer of the service");
    connection.refusals.wrote(connection.last);
    assert!(connection.refused(BARE).is_none(), "it is the rest of this answer");
    connection.refusals.flushed(connection.last);
    connection.check(GENERIC);
}

#[test]
fn half_a_head_is_refused_after_what_was_written_before() {
    let refusal = |connection: &Connection| {
        connection.refusals.of_half_head(connection.last, StatusCode::REQUEST_TIMEOUT, "late")
    };
    let mut connection = Connection::new();
    assert!(refusal(&connection).is_none());
    connection.receive("\r\n");
    assert!(refusal(&connection).is_none(), "an empty line is nothing");
    connection.receive("HEAD / HT");
    let answer =
        String::from_utf8_lossy(&refusal(&connection).expect("a refusal").answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    connection.refusals.wrote(connection.last);
    assert!(refusal(&connection).is_none(), "an answer is on its way");
}
