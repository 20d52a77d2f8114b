//! The action `Invoke` of SCF's cloud API, version 2018-04-16 (documented): the request, the
//! response and the error codes.
//!
//! Signatures are not checked here.

mod request;

use serde::Serialize;

pub use self::request::{InvocationType, Invoke, LogType};

/// The value of [`ACTION_HEADER`] for this action.
pub const INVOKE: &str = "Invoke";
/// The value of [`VERSION_HEADER`] for the shapes in this module.
pub const VERSION: &str = "2018-04-16";
/// The request header `X-TC-Action`: the name of the action.
pub const ACTION_HEADER: &str = "x-tc-action";
/// The request header `X-TC-Version`: the version of the API.
pub const VERSION_HEADER: &str = "x-tc-version";
/// The request header `X-TC-Timestamp`: the time of signing, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-tc-timestamp";

/// The body of every response: `{"Response":{…}}`. The HTTP status is always 200.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActionAnswer {
    /// The one field of the body.
    pub response: ActionResponse,
}

/// `{"Result":{…},"RequestId":"…"}` or `{"Error":{…},"RequestId":"…"}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActionResponse {
    /// The field `Result` or the field `Error`.
    #[serde(flatten)]
    pub outcome: ActionOutcome,
    /// Names the request in the logs.
    pub request_id: String,
}

/// Whether the function was invoked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum ActionOutcome {
    /// The function was invoked. It may have failed.
    Result(InvokeResult),
    /// The function was not invoked.
    Error(ActionError),
}

/// The result of an invocation. If the caller does not wait for the invocation, only
/// `FunctionRequestId` is filled, and all other fields are empty or 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvokeResult {
    /// Names the invocation in the logs.
    pub function_request_id: String,
    /// What the function returned, as JSON text. If the function failed: the
    /// [error object](crate::invocation::ErrorObject) as JSON text.
    pub ret_msg: String,
    /// Why the function failed; empty if it succeeded.
    pub err_msg: String,
    /// The last lines of the invocation's log, as text; empty if they were not requested.
    pub log: String,
    /// How long the invocation ran, in milliseconds.
    pub duration: f64,
    /// `duration`, rounded up to whole milliseconds.
    pub bill_duration: u64,
    /// The peak memory of the function's instance, in bytes; 0 if it is not known.
    pub mem_usage: u64,
    /// 0 if the function succeeded, -1 if it failed.
    pub invoke_result: i32,
}

/// Why the function was not invoked: `{"Code":"…","Message":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActionError {
    /// The error code, for programs.
    pub code: ActionErrorCode,
    /// The explanation, for people.
    pub message: String,
}

/// The documented error codes that this project uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ActionErrorCode {
    /// The header `Authorization` is missing or does not have the documented form.
    #[serde(rename = "AuthFailure.InvalidAuthorization")]
    InvalidAuthorization,
    /// The secret id is not the configured one.
    #[serde(rename = "AuthFailure.SecretIdNotFound")]
    SecretIdNotFound,
    /// The time of signing is too far in the past or in the future.
    #[serde(rename = "AuthFailure.SignatureExpire")]
    SignatureExpire,
    /// The signature does not match the request and the configured key.
    #[serde(rename = "AuthFailure.SignatureFailure")]
    SignatureFailure,
    /// No such action.
    InvalidAction,
    /// The body is not the JSON of this action.
    InvalidParameter,
    /// `ClientContext` is not JSON.
    #[serde(rename = "InvalidParameterValue.ClientContext")]
    InvalidClientContext,
    /// `InvocationType` is neither `RequestResponse` nor `Event`.
    #[serde(rename = "InvalidParameterValue.InvokeType")]
    InvalidInvocationType,
    /// A parameter has a value that is not documented.
    InvalidParameterValue,
    /// The request broke off before its end.
    InvalidRequest,
    /// A mandatory parameter is missing.
    MissingParameter,
    /// No such version of the API.
    NoSuchVersion,
    /// Too many invocations at once. The function did not run: the request may be sent again.
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
    /// The runner is shutting down. The function did not run: the request may be sent again.
    ServiceUnavailable,
}

impl ActionError {
    /// An error with this code. The caller is shown `message`.
    pub fn new(code: ActionErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
