//! Who may use an internal listener: access tokens, the files that they are in, and the refusal of
//! a request without the right token.
//!
//! Knows no routes: a listener says for each route which tokens open it.

mod bearer;
mod gate;
mod settings;
mod token;
mod token_file;

pub use self::{
    bearer::{Presented, challenge},
    gate::{Caller, Denial, Gate},
    settings::{AccessSettings, Credentials, TokenSource},
    token::{AccessToken, TOKEN_VALUES, is_loopback},
};
