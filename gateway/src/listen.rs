//! The listeners: which request goes where.

use daemon::http::{Body, message};
use http::{Response, StatusCode};

pub(crate) mod internal;
pub mod pages;
pub(crate) mod public;

/// The answer on a path that is kept for routes to come.
fn reserved() -> Response<Body> {
    message(StatusCode::NOT_FOUND, "nothing here: no route has this path")
}
