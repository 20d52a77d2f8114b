//! Reverse push: how a function sends to a client, or closes its connection.
//!
//! `POST http://<gateway internal listener>/<api id>` with a [`PushRequest`]. The gateway answers
//! with a [`PushAnswer`].

mod answer;
mod request;

pub use self::{
    answer::{FailedPush, PushAnswer, PushError},
    request::{InvalidPush, NotAPush, Push, PushAction, PushRequest, Targets},
};

/// The header of a push that a service passes on for a function: the name of the function.
pub const FUNCTION_HEADER: &str = "longhold-function";
/// The header beside it: the ids of the APIs that the function may push to, with commas between
/// them. Without it the function may push to the APIs that name it.
pub const PUSH_TO_HEADER: &str = "longhold-push-to";
