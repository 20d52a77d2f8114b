//! Who may use an internal listener: access tokens, the files that they are in, and the refusal of
//! a request without the right token.
//!
//! Knows no routes: a listener says for each route which tokens open it.

mod bearer;
mod derived_pair;
mod gate;
mod settings;
mod token;
mod token_file;

pub use self::{
    bearer::{Presented, challenge},
    derived_pair::DerivedPair,
    gate::{Caller, Denial, Gate},
    settings::{AccessSettings, Credentials, SERVICE_KEY, TokenSource},
    token::{AccessToken, TOKEN_VALUES, is_loopback},
};
