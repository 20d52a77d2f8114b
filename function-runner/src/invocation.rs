//! The parts of one invocation: its event, the fault that ends it, its id and its log lines.

pub(crate) mod event;
pub(crate) mod recent_lines;
pub(crate) mod request_id;

mod fault;
mod lines;

pub(crate) use self::{fault::Fault, lines::Lines, recent_lines::RecentLines};
