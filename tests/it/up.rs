//! `longhold up` with projects as the cloud has them: the samples of the crate `project`.

mod changes;
mod chat;
mod check;
mod exec;
mod import;
mod sample;
