//! What a register function decided.

/// The judgement on the answer of a register function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Registered {
    /// The client may connect.
    Accepted {
        /// What the function chose of the subprotocols that the client offers: nothing, one, or
        /// the whole list.
        subprotocol: Option<String>,
    },
    /// The client may not connect, and the function says that there is nothing to clean up.
    Refused {
        /// The function's own number, for the log.
        code: i64,
        /// The function's own words, for the client.
        message: String,
    },
    /// The client may not connect, as with the next one: the function returned nothing.
    Nothing,
    /// The client may not connect, and there may be something to clean up.
    Declined {
        /// The function's own words, for the client.
        message: String,
    },
    /// The answer has none of the known forms. The text says why, for the log.
    Unreadable(String),
}
