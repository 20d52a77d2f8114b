//! Reads an event as the one that a function takes.

use std::borrow::Cow;

use serde::Deserialize;

use crate::function::FunctionError;

/// An event, down to what tells one kind from another.
#[derive(Deserialize)]
struct AnyEvent<'a> {
    #[serde(borrow)]
    websocket: AnyAction<'a>,
}

#[derive(Deserialize)]
struct AnyAction<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
}

/// Reads `event`, if its action is `action`.
///
/// The events look much alike. Without the check, a cleanup function that is set where transmit
/// belongs would take messages for partings and delete who sent them.
pub(crate) fn parse<'a, E: Deserialize<'a>>(
    event: &'a [u8],
    action: &str,
) -> Result<E, FunctionError> {
    let any: AnyEvent<'a> = serde_json::from_slice(event).map_err(FunctionError::bad_event)?;
    let found = any.websocket.action;
    if found != action {
        return Err(FunctionError::bad_event(format!("its action is {found:?}, not {action:?}")));
    }
    serde_json::from_slice(event).map_err(FunctionError::bad_event)
}

#[cfg(test)]
mod tests {
    use shared::event::{CleanupEvent, TransmitEvent};

    use super::parse;

    const TEXT: &str = r#"{"websocket":{"action":"data send","secConnectionID":"a==","dataType":"text","data":"hi"}}"#;

    #[test]
    fn an_event_is_read_by_the_function_that_it_is_for() {
        let event: TransmitEvent<'_> = parse(TEXT.as_bytes(), "data send").unwrap();
        assert_eq!(event.websocket.connection_id, "a==");

        let error = parse::<CleanupEvent>(TEXT.as_bytes(), "closing").unwrap_err();
        assert_eq!(
            error.to_string(),
            "event is not what this function takes: its action is \"data send\", not \"closing\""
        );
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for text in ["", "null", "{}", r#"{"websocket":{"action":"closing"}}"#] {
            parse::<CleanupEvent>(text.as_bytes(), "closing").unwrap_err();
        }
    }
}
