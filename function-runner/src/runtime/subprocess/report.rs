//! The error that a bootstrap reports, in the form of SCF or of AWS Lambda.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use shared::invocation::InvocationFault;

use crate::invocation::Fault;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorReport<'a> {
    /// The fault, as our own bootstraps say.
    status_code: u16,
    error_type: Option<String>,
    error_message: Option<String>,
    /// Text, or a list of lines.
    #[serde(borrow)]
    stack_trace: Option<&'a RawValue>,
}

/// The function raised. Any `body` is taken.
pub(super) fn raised(body: &[u8]) -> Fault {
    Fault::raised(trace(body, &read(body)))
}

/// The function could not be loaded.
pub(super) fn not_loaded(body: &[u8]) -> Fault {
    let report = read(body);
    if report.status_code == InvocationFault::HandlerMissing.status() {
        let message = report.error_message.unwrap_or_else(|| "handler is missing".to_owned());
        return Fault::new(InvocationFault::HandlerMissing, message);
    }
    let what = report.error_message.as_deref().unwrap_or("see stackTrace");
    let message = format!("user code could not be loaded: {what}");
    Fault::new(InvocationFault::LoadFailed, message).with_trace(trace(body, &report))
}

fn read(body: &[u8]) -> ErrorReport<'_> {
    serde_json::from_slice(body).unwrap_or_default()
}

fn trace(body: &[u8], report: &ErrorReport<'_>) -> String {
    let what = match (&report.error_type, &report.error_message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => String::from_utf8_lossy(body).into_owned(),
    };
    let places = report.stack_trace.map_or("", RawValue::get);
    if let Ok(text) = serde_json::from_str::<String>(places)
        && !text.is_empty()
    {
        return text;
    }
    // The trace of AWS Lambda does not have the message.
    serde_json::from_str::<Places>(places).map_or(what.clone(), |Places(lines)| lines + &what)
}

/// The values of a list as lines. Built without the list: many small values would take many times
/// the memory of their text.
struct Places(String);

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lines;

        impl<'de> Visitor<'de> for Lines {
            type Value = Places;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut places: A) -> Result<Places, A::Error> {
                let mut lines = String::new();
                while let Some(place) = places.next_element::<&RawValue>()? {
                    match serde_json::from_str::<String>(place.get()) {
                        Ok(text) => lines.push_str(text.trim_end()),
                        Err(_) => lines.push_str(place.get()),
                    }
                    lines.push('\n');
                }
                Ok(Places(lines))
            }
        }

        deserializer.deserialize_seq(Lines)
    }
}

#[cfg(test)]
mod tests {
    use shared::invocation::InvocationFault;

    use super::{not_loaded, raised};
    use crate::invocation::Fault;

    #[test]
    fn whatever_a_bootstrap_says_is_a_trace() {
        let cases = [
            (r#"{"errorMessage":"m","errorType":"T","stackTrace":"a\nb"}"#, "a\nb"),
            (
                r#"{"errorMessage":"m","errorType":"T","stackTrace":["a",["b",1]]}"#,
                "a\n[\"b\",1]\nT: m",
            ),
            (r#"{"errorMessage":"m","errorType":"T","stackTrace":[]}"#, "T: m"),
            (r#"{"errorMessage":"m","stackTrace":[0, 0,"a \n"]}"#, "0\n0\na\nm"),
            (r#"{"errorMessage":"m","stackTrace":""}"#, "m"),
            (r#"{"errorMessage":"m","stackTrace":{"a":1}}"#, "m"),
            (r#"{"errorMessage":"m","stackTrace":null}"#, "m"),
            (r#"{"errorMessage":"m"}"#, "m"),
            ("oh no", "oh no"),
            ("[1]", "[1]"),
            ("", ""),
        ];
        for (body, trace) in cases {
            assert_eq!(raised(body.as_bytes()), Fault::raised(trace.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_missing_handler_is_told_from_code_that_does_not_load() {
        let fault = not_loaded(br#"{"statusCode":437,"errorMessage":"no f"}"#);
        assert_eq!(fault, Fault::new(InvocationFault::HandlerMissing, "no f"));
        assert_eq!(not_loaded(b"{").kind, InvocationFault::LoadFailed);
    }
}
