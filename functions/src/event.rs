//! Reads an event, and checks that it is of the kind that the function handles.

use std::borrow::Cow;

use serde::Deserialize;

use crate::function::FunctionError;

/// The part of an event that tells its kind.
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

/// Reads `event` if its action is `action`; else the event is a bad event.
///
/// The events have similar shapes. Without this check, a cleanup function that is configured as the
/// transmit function by mistake would accept messages and remove their senders from the roster.
pub(crate) fn parse<'a, E: Deserialize<'a>>(
    event: &'a [u8],
    action: &str,
) -> Result<E, FunctionError> {
    let any: AnyEvent<'a> = serde_json::from_slice(event).map_err(|error| other(&error))?;
    let found = any.websocket.action;
    if found != action {
        return Err(FunctionError::bad_event(format!("its action is {found:?}, not {action:?}")));
    }
    serde_json::from_slice(event).map_err(|error| other(&error))
}

/// The event has another shape. The error is not shown if it quotes a value: the value may be what
/// a client says, or a token.
fn other(error: &serde_json::Error) -> FunctionError {
    let text = error.to_string();
    if !error.is_data() || text.starts_with("missing field") {
        return FunctionError::bad_event(text);
    }
    let (line, column) = (error.line(), error.column());
    FunctionError::bad_event(format!("a value has another type at line {line} column {column}"))
}

#[cfg(test)]
mod tests {
    use shared::event::{CleanupEvent, TransmitEvent};

    use super::parse;

    const TEXT: &str = r#"{"websocket":{"action":"data send","secConnectionID":"a==","dataType":"text","data":"hi"}}"#;

    #[test]
    fn an_event_is_read_only_if_it_has_the_expected_action() {
        let event: TransmitEvent<'_> = parse(TEXT.as_bytes(), "data send").unwrap();
        assert_eq!(event.websocket.connection_id, "a==");

        let error = parse::<CleanupEvent>(TEXT.as_bytes(), "closing").unwrap_err();
        assert_eq!(
            error.to_string(),
            "event is not what this function takes: its action is \"data send\", not \"closing\""
        );
    }

    #[test]
    fn other_json_and_other_text_are_refused() {
        for text in ["", "null", "{}", r#"{"websocket":{"action":"closing"}}"#] {
            parse::<CleanupEvent>(text.as_bytes(), "closing").unwrap_err();
        }
    }
}
