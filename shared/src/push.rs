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
