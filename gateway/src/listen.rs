//! The listeners: which request goes where.

use daemon::{
    http::{Body, message},
    router::ListedPath,
};
use http::{Response, StatusCode};

pub(crate) mod internal;
pub mod pages;
pub(crate) mod public;

/// All paths of the internal listener.
pub fn internal_paths() -> &'static [ListedPath] {
    internal::paths()
}

/// All paths of the public listener beside those of APIs and pages.
pub fn public_paths() -> &'static [ListedPath] {
    public::paths()
}

/// The answer on a path that is kept for routes to come.
fn reserved() -> Response<Body> {
    message(StatusCode::NOT_FOUND, "nothing here: no route has this path")
}
