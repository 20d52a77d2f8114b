//! The XML of answers, and the bodies of requests that are XML.

mod answers;
mod bodies;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    answers::{begun, buckets, completed, copied, deleted, error, objects, parts, uploads},
    bodies::{Completion, Deletion},
    writer::can_hold,
};
