//! Reading a settings file so that everything wrong with it is reported at once.
//!
//! A [`Document`] is a TOML file with environment variables laid over it. It is taken apart
//! through [`Section`]s: each read names a key and the [`Kind`] of value it takes. What does not
//! fit, what is missing and what nobody asked for all become [`Problem`]s of the document. Only
//! this module, through its callers in `main.rs`, knows of the process environment.

mod document;
mod kind;
mod problem;
mod section;

#[cfg(test)]
mod tests;

pub use self::{
    document::Document,
    kind::{Kind, address, bytes, count, duration, flag, one_of, path, text, url},
    problem::{Problem, SettingsError},
    section::Section,
};
