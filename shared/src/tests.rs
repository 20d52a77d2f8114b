//! The contract, held to golden JSON where a shape is written down and to properties elsewhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod action;
mod connection_id;
mod data;
mod event;
mod invocation;
mod push_answer;
mod push_request;
mod reply;

use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The connection of the golden files: the documented example.
const ID: &str = "xawexasdfewezdfsdfeasdfffa==";

/// `golden` reads as `value`, and `value` writes as `golden`.
#[track_caller]
fn check_golden<'a, T>(golden: &'a str, value: &T)
where
    T: Serialize + Deserialize<'a> + PartialEq + Debug,
{
    assert_eq!(serde_json::from_str::<T>(golden).unwrap(), *value);
    assert_eq!(serde_json::to_value(value).unwrap(), parse(golden));
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}
