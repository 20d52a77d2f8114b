//! The listener: its routes, and what answers each of them.

pub(crate) mod logs;
pub(crate) mod routes;

mod action;
mod invoke;
