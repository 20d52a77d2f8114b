//! What a caller of `Invoke` asks for, checked as far as that needs no knowledge of functions.

use serde::{Deserialize, de::IgnoredAny};

use super::{ActionError, ActionErrorCode};

/// What stands for the only version that a function has here.
const QUALIFIERS: [&str; 2] = ["$LATEST", "$DEFAULT"];
const NAMESPACE: &str = "default";
/// The largest event that a caller need not wait for, in bytes (documented).
const EVENT_BYTES_MAX: usize = 128 * 1024;

/// A request to invoke a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoke {
    /// Which one.
    pub function_name: String,
    /// The event, which is JSON.
    pub client_context: String,
    /// Whether the caller waits.
    pub invocation_type: InvocationType,
    /// Whether the caller wants to see the log.
    pub log_type: LogType,
}

/// Whether the caller waits for the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvocationType {
    /// It does.
    RequestResponse,
    /// It is answered at once.
    Event,
}

/// Whether the answer has the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogType {
    /// It does not.
    None,
    /// It has.
    Tail,
}

/// As it comes. Fields that are not known here do no harm, and null is as good as absent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameters {
    function_name: Option<String>,
    invocation_type: Option<String>,
    qualifier: Option<String>,
    client_context: Option<String>,
    log_type: Option<String>,
    namespace: Option<String>,
}

impl Invoke {
    /// Reads the body of a request.
    pub fn parse(body: &[u8]) -> Result<Self, ActionError> {
        let parameters = Parameters::parse(body)?;
        parameters.check_version()?;
        let function_name = parameters.function_name.filter(|name| !name.is_empty());
        let function_name = function_name.ok_or_else(|| {
            let message = "FunctionName is missing; use the name of a function";
            ActionError::new(ActionErrorCode::MissingParameter, message)
        })?;
        let invocation_type = read_invocation_type(parameters.invocation_type.as_deref())?;
        let log_type = read_log_type(parameters.log_type.as_deref())?;
        let client_context = parameters.client_context.unwrap_or_else(|| "{}".to_owned());
        check_event(&client_context, invocation_type)?;
        Ok(Self { function_name, client_context, invocation_type, log_type })
    }
}

impl Parameters {
    fn parse(body: &[u8]) -> Result<Self, ActionError> {
        let bad = |problem: String| {
            let message = format!("body is not the JSON of Invoke: {problem}");
            ActionError::new(ActionErrorCode::InvalidParameter, message)
        };
        // Serde would read a struct from an array of its fields too.
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(bad("an array, not an object".to_owned()));
        }
        serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
    }

    fn check_version(&self) -> Result<(), ActionError> {
        if let Some(namespace) = self.namespace.as_deref().filter(|name| *name != NAMESPACE) {
            let message = format!("no namespace is called {namespace:?}; use {NAMESPACE:?}");
            return Err(ActionError::new(ActionErrorCode::NoSuchNamespace, message));
        }
        match self.qualifier.as_deref() {
            Some(qualifier) if !QUALIFIERS.contains(&qualifier) => {
                let [latest, default] = QUALIFIERS;
                let message = format!(
                    "functions have no version {qualifier:?} here; use {latest:?} or {default:?}"
                );
                Err(ActionError::new(ActionErrorCode::NoSuchQualifier, message))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn read_invocation_type(word: Option<&str>) -> Result<InvocationType, ActionError> {
    match word {
        None | Some("RequestResponse") => Ok(InvocationType::RequestResponse),
        Some("Event") => Ok(InvocationType::Event),
        Some(word) => {
            let message = format!(
                "InvocationType {word:?} will not do; use \"RequestResponse\" or \"Event\""
            );
            Err(ActionError::new(ActionErrorCode::InvalidInvocationType, message))
        }
    }
}

fn read_log_type(word: Option<&str>) -> Result<LogType, ActionError> {
    match word {
        None | Some("None") => Ok(LogType::None),
        Some("Tail") => Ok(LogType::Tail),
        Some(word) => {
            let message = format!("LogType {word:?} will not do; use \"None\" or \"Tail\"");
            Err(ActionError::new(ActionErrorCode::InvalidParameterValue, message))
        }
    }
}

fn check_event(event: &str, invocation_type: InvocationType) -> Result<(), ActionError> {
    if invocation_type == InvocationType::Event && event.len() > EVENT_BYTES_MAX {
        let message = format!(
            "ClientContext is larger than the {EVENT_BYTES_MAX} bytes that InvocationType \
             \"Event\" takes; use \"RequestResponse\""
        );
        return Err(ActionError::new(ActionErrorCode::RequestSizeLimitExceeded, message));
    }
    serde_json::from_str::<IgnoredAny>(event).map(|_| ()).map_err(|error| {
        let message = format!("ClientContext is not JSON: {error}; use the event as JSON text");
        ActionError::new(ActionErrorCode::InvalidClientContext, message)
    })
}
