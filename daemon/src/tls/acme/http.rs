//! The requests to the authority: each within a deadline and up to a length, over TLS only.

use std::{error::Error as StdError, pin::Pin, time::Duration};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use reqwest::{Client, redirect::Policy};

use super::super::OutboundTls;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer.
const BYTES_MAX: usize = 1 << 20;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A client for one order.
#[derive(Debug)]
pub(super) struct Requests(Client);

impl Requests {
    /// Trusts the authorities of the system, and with `outbound` those that it has too.
    pub(super) fn new(outbound: Option<&OutboundTls>) -> Result<Self, reqwest::Error> {
        let builder = Client::builder().redirect(Policy::none()).no_proxy();
        let builder = builder.https_only(true).timeout(TIMEOUT);
        let builder = match outbound {
            Some(tls) => builder.tls_backend_preconfigured(tls.configuration()),
            None => builder,
        };
        builder.build().map(Self)
    }
}

impl HttpClient for Requests {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move { send(client, request).await.map_err(Error::Other) })
    }
}

async fn send(
    client: Client,
    request: Request<BodyWrapper<Bytes>>,
) -> Result<BytesResponse, BoxError> {
    let (head, body) = request.into_parts();
    let request = Request::from_parts(head, body.collect().await?.to_bytes());
    let mut response = client.execute(request.try_into()?).await?;
    let mut head = http::Response::new(());
    *head.status_mut() = response.status();
    *head.headers_mut() = response.headers().clone();
    let (head, ()) = head.into_parts();
    let is_json = head.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("json"))
    });
    // An authority says in JSON what is wrong. Other answers are of a proxy or of another server.
    if !head.status.is_success() && !is_json {
        return Err(format!("the answer is {}", head.status.as_u16()).into());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > BYTES_MAX {
            return Err(format!("the answer is longer than {} KiB", BYTES_MAX >> 10).into());
        }
        body.extend_from_slice(&piece);
    }
    Ok(BytesResponse { parts: head, body: Box::new(Bytes::from(body)) })
}

/// An error with its causes. A cause that is in the text of its error already is left out.
pub(super) fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
