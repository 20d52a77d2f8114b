//! Static pages beside the WebSockets, where they are configured.

mod turns;

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use daemon::http::{Body, full, message};
use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri::PathAndQuery,
};
use http_body_util::BodyExt;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tower_http::services::ServeDir;
use tracing::error;

use self::turns::Turns;

/// Where pages come from.
#[derive(Debug, Clone)]
pub enum Pages {
    /// A folder.
    Folder(PageFolder),
    /// The program itself.
    Embedded(&'static [EmbeddedPage]),
}

/// A folder with pages.
#[derive(Debug, Clone)]
pub struct PageFolder {
    dir: ServeDir,
    turns: Turns,
}

/// A page within the program.
#[derive(Debug)]
pub struct EmbeddedPage {
    /// The path that it answers to; `/` stands for the first page.
    pub path: &'static str,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Its content.
    pub content: &'static str,
}

/// How many bytes of a file are read at once. A client that does not read its page holds a few of
/// these, about 40 KiB in all.
const CHUNK_BYTES: usize = 4 << 10;

/// What a URL cannot have as it is, beside characters that are not ASCII.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A page loads nothing from elsewhere, and runs nothing that is written into it.
const SECURITY: [(HeaderName, HeaderValue); 2] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'self'; connect-src 'self' ws: wss:"),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

impl Pages {
    /// The files in a folder.
    pub fn folder(dir: &Path) -> Self {
        let dir = ServeDir::new(dir).with_buf_chunk_size(CHUNK_BYTES);
        Self::Folder(PageFolder { dir, turns: Turns::new() })
    }

    /// The page with this path, which is that of the request in normal form; none when there is no
    /// such page.
    pub(crate) async fn serve<B: Send + 'static>(
        &self,
        mut request: Request<B>,
        path: &str,
    ) -> Option<Response<Body>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let mut response = match self {
            Self::Embedded(pages) => serve_embedded(pages, path)?,
            Self::Folder(folder) => {
                *request.uri_mut() = uri_of(path, request.uri().query())?;
                folder.clone().serve(request).await?
            }
        };
        if response.status() == StatusCode::NOT_FOUND {
            return None;
        }
        response.headers_mut().extend(SECURITY);
        Some(response)
    }
}

impl PageFolder {
    /// None when no file has this path, or can have it.
    async fn serve<B: Send + 'static>(self, request: Request<B>) -> Option<Response<Body>> {
        let Self { mut dir, turns } = self;
        let response = match dir.try_call(request).await {
            Ok(response) => response,
            Err(error) if names_no_file(&error) => return None,
            Err(error) => {
                error!(%error, "a page could not be read");
                let text = "the page cannot be read at present";
                return Some(message(StatusCode::INTERNAL_SERVER_ERROR, text));
            }
        };
        Some(response.map(|body| turns.read(body).map_err(Into::into).boxed_unsync()))
    }
}

/// Whether the path decides about this error: the file is not there, its name is too long, a part
/// before it is no folder, links go in circles, or it may not be read.
fn names_no_file(error: &io::Error) -> bool {
    // The standard library has no stable name for it. The number is that of Linux.
    const ELOOP: i32 = 40;
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput
            | ErrorKind::NotADirectory
            | ErrorKind::PermissionDenied
    ) || error.raw_os_error() == Some(ELOOP)
}

/// The URI of a path of this server, which is in normal form. A redirect to a folder repeats the
/// URI, and a browser takes `//x/` for another server.
fn uri_of(path: &str, query: Option<&str>) -> Option<Uri> {
    let path = utf8_percent_encode(path, ENCODED);
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?.into())
}

fn serve_embedded(pages: &[EmbeddedPage], path: &str) -> Option<Response<Body>> {
    let page = match path {
        "/" => pages.first()?,
        path => pages.iter().find(|page| page.path == path)?,
    };
    let mut response = Response::new(full(page.content));
    let content_type = HeaderValue::from_static(page.content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Some(response)
}
