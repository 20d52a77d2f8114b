//! The action `Invoke` of SCF's cloud API (documented): what a caller asks for, what it is
//! answered, and the codes of errors.
//!
//! How a request is signed is not known here.

mod request;

use serde::Serialize;

pub use self::request::{InvocationType, Invoke, LogType};

/// The value of [`ACTION_HEADER`] that stands for it.
pub const INVOKE: &str = "Invoke";
/// The version of the API that has these shapes.
pub const VERSION: &str = "2018-04-16";
/// Which action a request asks for.
pub const ACTION_HEADER: &str = "x-tc-action";
/// Which version of the API it speaks.
pub const VERSION_HEADER: &str = "x-tc-version";
/// When it was signed, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-tc-timestamp";

/// The body of every answer; the HTTP status is always 200.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    /// The result, or why there is none.
    pub response: Response,
}

/// The result of an invocation or an error, and the id of the request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    /// One of the two.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Names the request in the logs.
    pub request_id: String,
}

/// Whether there was an invocation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Outcome {
    /// There was: what came of it.
    Result(InvokeResult),
    /// There was none.
    Error(ActionError),
}

/// What came of an invocation. For one that the caller does not wait for only the id is known,
/// and all else is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvokeResult {
    /// Names the invocation in the logs.
    pub function_request_id: String,
    /// What the function returned, as JSON; if it failed, the error object.
    pub ret_msg: String,
    /// Why the function failed; empty if it did not.
    pub err_msg: String,
    /// The last lines of its log, as text, if they were asked for.
    pub log: String,
    /// How long it ran, in milliseconds.
    pub duration: f64,
    /// The same, begun milliseconds counted as whole.
    pub bill_duration: u64,
    /// The most memory that its instance has had, in bytes; 0 where that is not known.
    pub mem_usage: u64,
    /// 0 if the function succeeded, -1 if it failed.
    pub invoke_result: i32,
}

/// Why there was no invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActionError {
    /// For programs.
    pub code: ActionErrorCode,
    /// For people.
    pub message: String,
}

/// The codes (documented), as far as they are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ActionErrorCode {
    /// The header `Authorization` is not there or not of the documented form.
    #[serde(rename = "AuthFailure.InvalidAuthorization")]
    InvalidAuthorization,
    /// The secret id is not the configured one.
    #[serde(rename = "AuthFailure.SecretIdNotFound")]
    SecretIdNotFound,
    /// Signed too long ago, or in the future.
    #[serde(rename = "AuthFailure.SignatureExpire")]
    SignatureExpire,
    /// The signature is not that of this request by this key.
    #[serde(rename = "AuthFailure.SignatureFailure")]
    SignatureFailure,
    /// No such action.
    InvalidAction,
    /// The body is not the JSON of this action.
    InvalidParameter,
    /// `ClientContext` is not JSON.
    #[serde(rename = "InvalidParameterValue.ClientContext")]
    InvalidClientContext,
    /// `InvocationType` is neither of the two.
    #[serde(rename = "InvalidParameterValue.InvokeType")]
    InvalidInvocationType,
    /// A value is not one that is documented.
    InvalidParameterValue,
    /// The request did not arrive whole.
    InvalidRequest,
    /// Something mandatory is not there.
    MissingParameter,
    /// No such version of the API.
    NoSuchVersion,
    /// Too many invocations at once. It did not run: it may be sent again.
    RequestLimitExceeded,
    /// The request or the event is too large.
    RequestSizeLimitExceeded,
    /// No such function.
    #[serde(rename = "ResourceNotFound.Function")]
    NoSuchFunction,
    /// No such namespace.
    #[serde(rename = "ResourceNotFound.Namespace")]
    NoSuchNamespace,
    /// No such version of the function.
    #[serde(rename = "ResourceNotFound.Qualifier")]
    NoSuchQualifier,
    /// The runner is shutting down. It did not run: it may be sent again.
    ServiceUnavailable,
}

impl ActionError {
    /// `message` is for the caller.
    pub fn new(code: ActionErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
