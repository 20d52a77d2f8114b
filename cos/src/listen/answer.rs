//! One request and its answer.

use std::time::SystemTime;

use daemon::{
    body::RequestBody,
    browser::host_of,
    health::{health, readiness},
    http::{Body, full},
    serve::{PeerAddress, SpelledHeaders},
};
use http::{HeaderName, HeaderValue, Method, Request, Response, header, request::Parts};
use tracing::debug;
use uuid::Uuid;

use super::{
    Service, buckets, objects,
    refused::{About, XML},
    uploads,
};
use crate::{
    refusal::{Code, Refusal},
    request::{Endpoint, Operation, Query, SignedRequest, is_cloud_name},
};

/// Names of headers as the cloud spells them. Its client library for Python hands them to programs
/// as they come, and programs look for them in this spelling.
const SPELLED: &[&str] = &[
    "Accept-Ranges",
    "Cache-Control",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Date",
    "ETag",
    "Expires",
    "Last-Modified",
];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-cos-request-id");

/// A request whose sender may send it.
#[derive(Debug)]
pub(super) struct Asked<'r> {
    pub(super) service: &'r Service,
    pub(super) head: &'r Parts,
    pub(super) query: &'r Query,
    /// The host that the request goes to.
    pub(super) host: &'r str,
    /// The bucket, and the key. They are empty if the request has none.
    pub(super) names: [&'r str; 2],
}

/// What is known of a request, for its line in the log.
#[derive(Default)]
struct Known {
    bucket: String,
    operation: Option<&'static str>,
}

/// Answers a request.
pub(super) async fn answer(
    service: &Service,
    is_ready: bool,
    request: Request<RequestBody>,
) -> Response<Body> {
    let id = Uuid::new_v4().simple().to_string();
    let page = service.guard().problem(&request);
    let (head, body) = request.into_parts();
    let host = host_of(&head.uri, &head.headers).unwrap_or_default().to_owned();
    if let Some(probed) = probe(&head, &host, is_ready) {
        return probed;
    }
    let mut known = Known::default();
    let answered = match page {
        Some((_, text)) => Err(Refusal::new(Code::AccessDenied, text)),
        None => act(service, &head, &host, body, &mut known).await,
    };
    let mut response = answered.unwrap_or_else(|refusal| {
        let peer = PeerAddress::of(&head.extensions);
        let (bucket, resource) = (&*known.bucket, head.uri.path());
        let operation = known.operation.unwrap_or("request");
        let about = About { peer, id: &id, bucket, operation, resource };
        service.refusals().answer(about, &refusal)
    });
    debug!(
        request.id = id,
        bucket.name = known.bucket,
        operation = known.operation,
        http.response.status_code = response.status().as_u16(),
        "request answered"
    );
    let value = HeaderValue::try_from(&id).expect("digits are visible ASCII");
    response.headers_mut().insert(REQUEST_ID, value);
    response.extensions_mut().insert(SpelledHeaders { names: SPELLED, mark: id });
    response
}

/// The answer to a question about health. A bucket may have objects with these names.
fn probe(head: &Parts, host: &str, is_ready: bool) -> Option<Response<Body>> {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    if is_cloud_name(&host) || !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    match head.uri.path() {
        "/healthz" => Some(health()),
        "/readyz" => Some(readiness(is_ready)),
        _ => None,
    }
}

async fn act(
    service: &Service,
    head: &Parts,
    host: &str,
    body: RequestBody,
    known: &mut Known,
) -> Result<Response<Body>, Refusal> {
    let endpoint = Endpoint::parse(host, head.uri.path())?;
    endpoint.bucket().unwrap_or_default().clone_into(&mut known.bucket);
    let query = Query::parse(head.uri.query())?;
    let path = percent_encoding::percent_decode_str(head.uri.path()).decode_utf8_lossy();
    let (method, headers) = (&head.method, &head.headers);
    let signed = SignedRequest { method, path: &path, query: &query, headers, host };
    service.authenticate(signed, SystemTime::now())?;
    let is_own = |host: &str| service.guard().is_own(host);
    let operation = Operation::parse(&head.method, &endpoint, &query, &head.headers, &is_own)?;
    known.operation = Some(operation.name());
    let names = match &endpoint {
        Endpoint::Service => ["", ""],
        Endpoint::Bucket(bucket) => [&**bucket, ""],
        Endpoint::Object { bucket, key } => [&**bucket, &**key],
    };
    let asked = Asked { service, head, query: &query, host, names };
    match operation {
        Operation::ListBuckets => buckets::list_all(&asked).await,
        Operation::PutBucket => buckets::put(&asked).await,
        Operation::HeadBucket => buckets::head(&asked).await,
        Operation::DeleteBucket => buckets::delete(&asked).await,
        Operation::ListObjects(query) => buckets::list(&asked, &query).await,
        Operation::DeleteObjects => buckets::delete_objects(&asked, body).await,
        Operation::GetObject | Operation::HeadObject => objects::get(&asked).await,
        Operation::PutObject => objects::put(&asked, body).await,
        Operation::CopyObject(source) => objects::copy(&asked, &source).await,
        Operation::DeleteObject => objects::delete(&asked).await,
        Operation::ListUploads(query) => uploads::list(&asked, &query).await,
        Operation::BeginUpload => uploads::begin(&asked).await,
        Operation::PutPart { upload, number } => uploads::put(&asked, &upload, number, body).await,
        Operation::CopyPart { upload, number, source } => {
            uploads::copy(&asked, &upload, number, &source).await
        }
        Operation::ListParts(query) => uploads::list_parts(&asked, &query).await,
        Operation::CompleteUpload { upload } => uploads::complete(&asked, &upload, body).await,
        Operation::AbortUpload { upload } => uploads::abort(&asked, &upload).await,
    }
}

/// An answer with a document.
pub(super) fn xml(text: String) -> Response<Body> {
    let mut response = Response::new(full(text));
    response.headers_mut().insert(header::CONTENT_TYPE, XML);
    response
}

/// An answer without a body.
pub(super) fn empty(status: http::StatusCode) -> Response<Body> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}
