//! The parts of one invocation: its event, its id, its log lines, and how it ended.

pub(crate) mod event;
pub(crate) mod recent_lines;
pub(crate) mod request_id;

mod fault;
mod lines;
mod order;
mod report;

pub(crate) use self::{
    fault::Fault,
    lines::Lines,
    order::{Caller, Order},
    recent_lines::RecentLines,
    report::{Ended, Report},
};
