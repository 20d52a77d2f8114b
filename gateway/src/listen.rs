//! The listeners: which request goes where.

pub(crate) mod internal;
pub mod pages;
pub(crate) mod public;
