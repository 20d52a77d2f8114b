//! The error that a bootstrap reports, in the form of SCF or of AWS Lambda.

use serde::Deserialize;
use serde_json::Value;
use shared::invocation::InvocationFault;

use crate::invocation::Fault;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorReport {
    /// The fault, as our own bootstraps say.
    status_code: u16,
    error_type: Option<String>,
    error_message: Option<String>,
    /// Text, or a list of lines.
    stack_trace: Value,
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

fn read(body: &[u8]) -> ErrorReport {
    serde_json::from_slice(body).unwrap_or_default()
}

fn trace(body: &[u8], report: &ErrorReport) -> String {
    let what = match (&report.error_type, &report.error_message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => String::from_utf8_lossy(body).into_owned(),
    };
    match &report.stack_trace {
        Value::String(text) if !text.is_empty() => text.clone(),
        // The trace of AWS Lambda does not have the message.
        Value::Array(places) => {
            let places = places.iter().map(|place| {
                place.as_str().map_or_else(|| place.to_string(), |text| text.trim_end().to_owned())
            });
            places.chain([what]).collect::<Vec<_>>().join("\n")
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            what
        }
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
