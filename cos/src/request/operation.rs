//! What a request asks for: its method, query and headers decide.
//!
//! Parameters that name a feature of the cloud which is not served are refused by name. Others that
//! are not known here are ignored, as in the cloud.

use http::{HeaderMap, Method, header::TRANSFER_ENCODING};
use strum::{EnumDiscriminants, EnumIter, IntoEnumIterator};

use super::{CopySource, Endpoint, Query};
use crate::refusal::{Code, Refusal};

/// The most entries of a page, as in the cloud.
const PAGE_MAX: usize = 1000;
/// The highest number of a part, as in the cloud.
const PART_MAX: u32 = 10_000;

/// Features of the cloud that are not served here, by the parameter that names each.
const NOT_SERVED: [&str; 40] = [
    "accelerate",
    "acl",
    "append",
    "asyncfetch",
    "ci-process",
    "cors",
    "domain",
    "domaincertificate",
    "encryption",
    "exif",
    "imageAve",
    "imageInfo",
    "imageMogr2",
    "imageView2",
    "intelligenttiering",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "object-lock",
    "origin",
    "policy",
    "publicAccessBlock",
    "qrcode",
    "referer",
    "rename",
    "replication",
    "response-control",
    "restore",
    "retention",
    "select",
    "symlink",
    "tagging",
    "torrent",
    "versioning",
    "versions",
    "website",
];

/// Headers that ask for a feature that is not served here, and that would be missed if they were
/// ignored.
const NOT_SERVED_HEADERS: [&str; 4] = [
    "x-cos-server-side-encryption",
    "x-cos-server-side-encryption-customer-algorithm",
    "x-cos-tagging",
    "x-cos-object-lock-mode",
];

/// Conditions on the object that a change would replace. Ignored, they would lose what another
/// client has stored.
const CONDITIONS: [&str; 4] =
    ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(name(OperationKind), derive(EnumIter))]
pub(crate) enum Operation {
    ListBuckets,
    PutBucket,
    HeadBucket,
    DeleteBucket,
    ListObjects(ListQuery),
    ListUploads(ListUploads),
    DeleteObjects,
    GetObject,
    HeadObject,
    PutObject,
    CopyObject(CopySource),
    DeleteObject,
    BeginUpload,
    PutPart { upload: String, number: u32 },
    CopyPart { upload: String, number: u32, source: CopySource },
    ListParts(ListParts),
    CompleteUpload { upload: String },
    AbortUpload { upload: String },
}

/// A page of a list of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListQuery {
    pub(crate) prefix: String,
    pub(crate) delimiter: String,
    /// Keys after this one are listed.
    pub(crate) marker: String,
    pub(crate) max: usize,
    /// Whether keys are percent-encoded in the answer.
    pub(crate) is_encoded: bool,
}

/// A page of a list of unfinished uploads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListUploads {
    pub(crate) prefix: String,
    pub(crate) delimiter: String,
    pub(crate) key_marker: String,
    pub(crate) upload_marker: String,
    pub(crate) max: usize,
    pub(crate) is_encoded: bool,
}

/// A page of a list of parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListParts {
    pub(crate) upload: String,
    /// Parts with higher numbers are listed.
    pub(crate) marker: u32,
    pub(crate) max: usize,
    pub(crate) is_encoded: bool,
}

impl Operation {
    /// What the request asks for. `is_own` says whether a host, perhaps with a port, is this object
    /// store.
    pub(crate) fn parse(
        method: &Method,
        endpoint: &Endpoint,
        query: &Query,
        headers: &HeaderMap,
        is_own: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Refusal> {
        refuse_what_is_not_served(query, headers)?;
        let operation = match endpoint {
            Endpoint::Service => match *method {
                Method::GET => Ok(Self::ListBuckets),
                _ => Err(not_allowed(method, "the list of buckets")),
            },
            Endpoint::Bucket(_) => Self::of_bucket(method, query),
            Endpoint::Object { .. } => Self::of_object(method, query, headers, is_own),
        }?;
        operation.check_headers(headers)?;
        Ok(operation)
    }

    /// Whether the object with the key may be another one afterwards.
    fn changes_object(&self) -> bool {
        matches!(
            self,
            Self::PutObject
                | Self::CopyObject(_)
                | Self::DeleteObject
                | Self::PutPart { .. }
                | Self::CopyPart { .. }
                | Self::CompleteUpload { .. }
        )
    }

    /// Refuses what would be another change than the headers ask for.
    fn check_headers(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if let Some(coding) = headers.get(TRANSFER_ENCODING)
            && !coding.as_bytes().eq_ignore_ascii_case(b"chunked")
        {
            let message = "A Transfer-Encoding but chunked is not served by this object store.";
            return Err(Refusal::new(Code::NotImplemented, message));
        }
        let condition = CONDITIONS.iter().find(|name| headers.contains_key(**name));
        match condition.filter(|_| self.changes_object()) {
            Some(name) => {
                let message = format!(
                    "The header {name} is not served for a {}; x-cos-forbid-overwrite: true keeps an \
                     object from being replaced.",
                    self.name()
                );
                Err(Refusal::new(Code::NotImplemented, message))
            }
            None => Ok(()),
        }
    }

    fn of_bucket(method: &Method, query: &Query) -> Result<Self, Refusal> {
        match *method {
            Method::PUT => Ok(Self::PutBucket),
            Method::HEAD => Ok(Self::HeadBucket),
            Method::DELETE => Ok(Self::DeleteBucket),
            Method::GET if query.has("uploads") => Ok(Self::ListUploads(ListUploads {
                prefix: text(query, "prefix"),
                delimiter: text(query, "delimiter"),
                key_marker: text(query, "key-marker"),
                upload_marker: text(query, "upload-id-marker"),
                max: page(query, "max-uploads")?,
                is_encoded: is_encoded(query)?,
            })),
            Method::GET => Ok(Self::ListObjects(ListQuery {
                prefix: text(query, "prefix"),
                delimiter: text(query, "delimiter"),
                marker: text(query, "marker"),
                max: page(query, "max-keys")?,
                is_encoded: is_encoded(query)?,
            })),
            Method::POST if query.has("delete") => Ok(Self::DeleteObjects),
            Method::POST => {
                let message = "POST of a form to a bucket (POST Object) is not served here.";
                Err(Refusal::new(Code::NotImplemented, message))
            }
            _ => Err(not_allowed(method, "a bucket")),
        }
    }

    fn of_object(
        method: &Method,
        query: &Query,
        headers: &HeaderMap,
        is_own: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Refusal> {
        let upload = query.get("uploadId").map(str::to_owned);
        match (method.as_str(), upload) {
            ("GET", None) => Ok(Self::GetObject),
            ("HEAD", _) => Ok(Self::HeadObject),
            ("DELETE", None) => Ok(Self::DeleteObject),
            ("PUT", None) if query.has("partNumber") => {
                Err(Refusal::argument("partNumber is of no upload: uploadId is missing."))
            }
            ("PUT", None) => Ok(match CopySource::of(headers, is_own)? {
                Some(source) => Self::CopyObject(source),
                None => Self::PutObject,
            }),
            ("POST", None) if query.has("uploads") => Ok(Self::BeginUpload),
            ("GET", Some(upload)) => Ok(Self::ListParts(ListParts {
                upload,
                marker: number(query, "part-number-marker", 0)?,
                max: page(query, "max-parts")?,
                is_encoded: is_encoded(query)?,
            })),
            ("PUT", Some(upload)) => {
                let number = number(query, "partNumber", 0)?;
                if !(1..=PART_MAX).contains(&number) {
                    let message = format!("partNumber is not a number from 1 to {PART_MAX}.");
                    return Err(Refusal::argument(message));
                }
                Ok(match CopySource::of(headers, is_own)? {
                    Some(source) => Self::CopyPart { upload, number, source },
                    None => Self::PutPart { upload, number },
                })
            }
            ("POST", Some(upload)) => Ok(Self::CompleteUpload { upload }),
            ("DELETE", Some(upload)) => Ok(Self::AbortUpload { upload }),
            _ => Err(not_allowed(method, "an object")),
        }
    }

    /// The name of the operation in the log.
    pub(crate) fn name(&self) -> &'static str {
        OperationKind::from(self).name()
    }
}

impl OperationKind {
    fn name(self) -> &'static str {
        match self {
            Self::ListBuckets => "list of buckets",
            Self::PutBucket => "put of a bucket",
            Self::HeadBucket => "head of a bucket",
            Self::DeleteBucket => "delete of a bucket",
            Self::ListObjects => "list of objects",
            Self::ListUploads => "list of uploads",
            Self::DeleteObjects => "delete of several objects",
            Self::GetObject => "get of an object",
            Self::HeadObject => "head of an object",
            Self::PutObject => "put of an object",
            Self::CopyObject => "copy of an object",
            Self::DeleteObject => "delete of an object",
            Self::BeginUpload => "begin of an upload",
            Self::PutPart => "put of a part",
            Self::CopyPart => "copy of a part",
            Self::ListParts => "list of parts",
            Self::CompleteUpload => "completion of an upload",
            Self::AbortUpload => "abort of an upload",
        }
    }
}

/// The names of all operations, as they are in the log.
pub fn operations() -> impl Iterator<Item = &'static str> {
    OperationKind::iter().map(OperationKind::name)
}

fn refuse_what_is_not_served(query: &Query, headers: &HeaderMap) -> Result<(), Refusal> {
    let refused = |what: &str| {
        Refusal::new(Code::NotImplemented, format!("{what} is not served by this object store."))
    };
    for (name, value) in query.pairs() {
        // Processing of images is written `imageMogr2/thumbnail/100x`.
        let feature = name.split('/').next().unwrap_or_default();
        if NOT_SERVED.iter().any(|name| name.eq_ignore_ascii_case(feature)) {
            return Err(refused(&format!("?{feature}")));
        }
        if name.eq_ignore_ascii_case("versionId") && !matches!(value, "" | "null") {
            return Err(refused("?versionId"));
        }
    }
    match NOT_SERVED_HEADERS.iter().find(|name| headers.contains_key(**name)) {
        Some(name) => Err(refused(name)),
        None => Ok(()),
    }
}

fn not_allowed(method: &Method, what: &str) -> Refusal {
    let message = format!("{method} is no method of {what}.");
    Refusal::new(Code::MethodNotAllowed, message)
}

fn text(query: &Query, name: &str) -> String {
    query.get(name).unwrap_or_default().to_owned()
}

fn number(query: &Query, name: &str, default: u32) -> Result<u32, Refusal> {
    match query.get(name).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => {
            text.parse().map_err(|_| Refusal::argument(format!("{name} is not a whole number.")))
        }
    }
}

/// How many entries a page may have. More than the most are taken for the most.
fn page(query: &Query, name: &str) -> Result<usize, Refusal> {
    let max = number(query, name, 1000)?;
    Ok(usize::try_from(max).map_or(PAGE_MAX, |max| max.min(PAGE_MAX)))
}

fn is_encoded(query: &Query) -> Result<bool, Refusal> {
    match query.get("encoding-type") {
        None | Some("") => Ok(false),
        Some("url") => Ok(true),
        Some(_) => Err(Refusal::argument("encoding-type is not url.")),
    }
}
