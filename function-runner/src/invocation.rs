//! The parts of one invocation: its request, event, id and log lines, and how it ended.

pub(crate) mod event;
pub(crate) mod recent_lines;
pub(crate) mod request_id;

mod fault;
mod lines;
mod report;
mod request;

pub(crate) use self::{
    fault::Fault,
    lines::{Lines, log_trace_of_new_code},
    recent_lines::RecentLines,
    report::{InstanceReport, InvocationReport},
    request::{InvocationRequest, ReplyTo},
};
