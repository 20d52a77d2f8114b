//! Reads and checks the request of `Invoke`. Whether the function exists is not checked here.

use serde::{Deserialize, de::IgnoredAny};

use super::{ActionError, ActionErrorCode};

/// The accepted values of `Qualifier`. A function has only one version here, and both name it.
const QUALIFIERS: [&str; 2] = ["$LATEST", "$DEFAULT"];
/// The only accepted value of `Namespace`.
const NAMESPACE: &str = "default";
/// The largest event of [`InvocationType::Event`], in bytes (documented).
const EVENT_BYTES_MAX: usize = 128 * 1024;

/// A request to invoke a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoke {
    /// `FunctionName`: the function to invoke; not empty.
    pub function_name: String,
    /// `ClientContext`: the event, as JSON text. Default `{}`.
    pub client_context: String,
    /// `InvocationType`: whether the caller waits. Default `RequestResponse`.
    pub invocation_type: InvocationType,
    /// `LogType`: whether the response contains log lines. Default `None`.
    pub log_type: LogType,
}

/// Whether the caller waits for the invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvocationType {
    /// The caller waits for the reply.
    RequestResponse,
    /// The response is sent at once, and the function runs afterwards.
    Event,
}

/// Whether the response contains the last lines of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogType {
    /// The response contains no log lines.
    None,
    /// The response contains the last lines.
    Tail,
}

/// The body as JSON. Unknown fields are ignored, and null counts as absent.
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
    /// Reads the body of a request: `{"FunctionName":"…",…}`. Fails with the code and message for
    /// the caller.
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
        // Serde also reads a struct from an array of its fields.
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
                "InvocationType {word:?} is not known; use \"RequestResponse\" or \"Event\""
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
            let message = format!("LogType {word:?} is not known; use \"None\" or \"Tail\"");
            Err(ActionError::new(ActionErrorCode::InvalidParameterValue, message))
        }
    }
}

fn check_event(event: &str, invocation_type: InvocationType) -> Result<(), ActionError> {
    if invocation_type == InvocationType::Event && event.len() > EVENT_BYTES_MAX {
        let message = format!(
            "ClientContext is larger than {EVENT_BYTES_MAX} bytes, the limit of InvocationType \
             \"Event\"; use \"RequestResponse\""
        );
        return Err(ActionError::new(ActionErrorCode::RequestSizeLimitExceeded, message));
    }
    serde_json::from_str::<IgnoredAny>(event).map(|_| ()).map_err(|error| {
        let message = format!("ClientContext is not JSON: {error}; use the event as JSON text");
        ActionError::new(ActionErrorCode::InvalidClientContext, message)
    })
}
