//! Why a request is refused: the code of the cloud, its HTTP status, and a text.

use std::{borrow::Cow, error::Error, fmt};

use http::StatusCode;
use strum::IntoStaticStr;

/// A request is refused, or has failed.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// For the client. Shows no secret and no signature.
    pub(crate) message: Cow<'static, str>,
    /// For the log.
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

/// The codes of the cloud, as the client libraries know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
pub(crate) enum Code {
    AccessDenied,
    BadDigest,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    EntityTooLarge,
    EntityTooSmall,
    FileAlreadyExists,
    IncompleteBody,
    InternalError,
    InvalidAccessKeyId,
    InvalidArgument,
    InvalidBucketName,
    InvalidDigest,
    InvalidPart,
    InvalidPartOrder,
    InvalidRange,
    #[strum(serialize = "InvalidURI")]
    InvalidUri,
    KeyTooLong,
    #[strum(serialize = "MalformedXML")]
    MalformedXml,
    MetadataTooLarge,
    MethodNotAllowed,
    MissingContentLength,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    NotImplemented,
    PreconditionFailed,
    RequestTimeTooSkewed,
    RequestTimeout,
    SignatureDoesNotMatch,
    SlowDown,
}

impl Code {
    /// The code as the cloud spells it.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }

    /// The HTTP status of an answer with this code.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::BadDigest
            | Self::EntityTooLarge
            | Self::EntityTooSmall
            | Self::IncompleteBody
            | Self::InvalidArgument
            | Self::InvalidBucketName
            | Self::InvalidDigest
            | Self::InvalidPart
            | Self::InvalidPartOrder
            | Self::InvalidUri
            | Self::KeyTooLong
            | Self::MalformedXml
            | Self::MetadataTooLarge
            | Self::RequestTimeout => StatusCode::BAD_REQUEST,
            Self::AccessDenied
            | Self::InvalidAccessKeyId
            | Self::RequestTimeTooSkewed
            | Self::SignatureDoesNotMatch => StatusCode::FORBIDDEN,
            Self::NoSuchBucket | Self::NoSuchKey | Self::NoSuchUpload => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BucketAlreadyOwnedByYou | Self::BucketNotEmpty | Self::FileAlreadyExists => {
                StatusCode::CONFLICT
            }
            Self::MissingContentLength => StatusCode::LENGTH_REQUIRED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::InvalidRange => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::SlowDown => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Whether programs that are right get this answer every day, such as one that asks whether an
    /// object is there.
    pub(crate) fn is_everyday(self) -> bool {
        matches!(self, Self::NoSuchKey | Self::PreconditionFailed)
    }
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), source: None }
    }

    /// Something failed here, and not in the request.
    pub(crate) fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let message = "the store could not do this; its log says why";
        Self { source: Some(source.into()), ..Self::new(Code::InternalError, message) }
    }

    pub(crate) fn no_such_bucket() -> Self {
        Self::new(Code::NoSuchBucket, "The specified bucket does not exist.")
    }

    pub(crate) fn no_such_key() -> Self {
        Self::new(Code::NoSuchKey, "The specified key does not exist.")
    }

    pub(crate) fn no_such_upload() -> Self {
        let message = "The specified multipart upload does not exist. It may have been aborted or \
                       completed.";
        Self::new(Code::NoSuchUpload, message)
    }

    pub(crate) fn argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(error)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error)
    }
}
