//! The query of a request for a log: `tail` and `follow`.

use crate::invocation::recent_lines::LINES_MAX;

const TAIL: usize = 100;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// How many of the last lines, 0 to 1000. Default 100.
    pub(super) tail: usize,
    pub(super) follow: Follow,
}

/// Whether the reader waits for lines to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Follow {
    No,
    Yes,
}

impl Query {
    /// The error says which values are valid.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut query = Self { tail: TAIL, follow: Follow::No };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("tail", value) => query.tail = parse_tail(value)?,
                ("follow", "true") => query.follow = Follow::Yes,
                ("follow", "false") => query.follow = Follow::No,
                ("follow", value) => {
                    return Err(format!("follow={value:?} is not valid; use true or false"));
                }
                (name, _) => {
                    return Err(format!("{name:?} is not known here; use tail and follow"));
                }
            }
        }
        Ok(query)
    }
}

fn parse_tail(value: &str) -> Result<usize, String> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let tail = value.parse().ok().filter(|tail| is_number && *tail <= LINES_MAX);
    tail.ok_or_else(|| {
        format!("tail={value:?} is not valid; use a whole number from 0 to {LINES_MAX}")
    })
}

#[cfg(test)]
mod tests {
    use super::{Follow, Query};

    #[test]
    fn a_query_is_what_it_says_or_an_error_that_says_what_is_right() {
        let is = |tail, follow| Ok(Query { tail, follow });
        assert_eq!(Query::parse(""), is(100, Follow::No));
        assert_eq!(Query::parse("tail=0&follow=true"), is(0, Follow::Yes));
        assert_eq!(Query::parse("follow=false&&tail=1000"), is(1000, Follow::No));
        for text in ["tail", "tail=", "tail=1001", "tail=-1", "tail=%2B1", "tail=+1", "tail=1e2"] {
            let problem = Query::parse(text).unwrap_err();
            assert!(problem.ends_with("use a whole number from 0 to 1000"), "{problem}");
        }
        for text in ["follow", "follow=1", "follow=True", "follow=yes"] {
            let problem = Query::parse(text).unwrap_err();
            assert!(problem.ends_with("use true or false"), "{problem}");
        }
        let problem = Query::parse("lines=3").unwrap_err();
        assert_eq!(problem, "\"lines\" is not known here; use tail and follow");
    }
}
