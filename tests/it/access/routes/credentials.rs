//! What a request to a route presents.

use daemon::{
    credentials::{AccessToken, DerivedPair},
    settings::Secret,
};

use crate::support::access::SERVICE;

/// A token of `api-test`, and one of another API.
pub(super) const PUSH: &str = "the-push-token-of-api-test";
pub(super) const OTHER: &str = "the-push-token-of-api-other";
pub(super) const WRONG: &str = "a-token-that-nobody-has-given";

/// What a request presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    Nothing,
    Wrong,
    OtherApi,
    ThisApi,
    Service,
    Operator,
    /// The key of the pair that functions with a role have. It is for signatures.
    RoleKey,
    /// What the owner of that pair has signed for this request, to an object store. It counts no
    /// more.
    Expired,
    /// What a service says of the function for which it pushes, without the token of a service.
    Function,
}

pub(super) const ALL: [With; 9] = [
    With::Nothing,
    With::Wrong,
    With::OtherApi,
    With::ThisApi,
    With::Service,
    With::Operator,
    With::RoleKey,
    With::Expired,
    With::Function,
];

/// It follows from the token of the services.
pub(super) fn role() -> DerivedPair {
    DerivedPair::of(&AccessToken::new(Secret::new(SERVICE)).unwrap())
}

pub(super) fn role_key() -> String {
    role().key.reveal().to_owned()
}
