//! Golden JSON for every documented shape, and properties of parsing and encoding.

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

/// The connection id of the golden files, from Tencent's documentation.
const ID: &str = "xawexasdfewezdfsdfeasdfffa==";

/// `golden` is read as `value`, and `value` is written as `golden`.
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
