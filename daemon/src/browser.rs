//! Requests that web pages make a browser send.
//!
//! A browser sends requests for every page that it shows, also to addresses that only the user's
//! machine reaches. It says for which page in `Origin` (RFC 6454), and how near that page is in
//! `Sec-Fetch-Site` (W3C Fetch Metadata). What this module refuses is refused before it has an
//! effect.

mod guard;
mod host;
mod origin;
mod site;

pub use self::{
    guard::{PageGuard, PageSettings},
    host::host_of,
    origin::{OriginPattern, WebOrigin, origins},
    site::{Foreign, OwnSite},
};
