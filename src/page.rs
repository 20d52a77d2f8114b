//! The built-in chat page.

use gateway::listen::pages::{EmbeddedPage, Pages};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! page {
    ($name:literal, $content_type:expr) => {
        EmbeddedPage {
            path: concat!("/", $name),
            content_type: $content_type,
            content: include_str!(concat!("../web/", $name)),
        }
    };
}

const PAGES: &[EmbeddedPage] = &[
    page!("index.html", HTML),
    page!("chat.css", CSS),
    page!("chat.js", JAVASCRIPT),
    page!("connection.js", JAVASCRIPT),
    page!("log.js", JAVASCRIPT),
    page!("wire.js", JAVASCRIPT),
    page!("favicon.svg", "image/svg+xml"),
];

pub(crate) fn pages() -> Pages {
    Pages::Embedded(PAGES)
}
