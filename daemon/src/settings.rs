//! Reading a settings file so that all problems in it are reported at once.
//!
//! A [`Document`] is a TOML file with environment variables laid over it. It is read through
//! [`Section`]s: each read names a key, the [`Kind`] of its values, and its default. A value that
//! is not valid, a key that is missing and a key that nobody asked for each become a [`Problem`]
//! of the document. The same reads, without a file, list the [`Key`]s that there are
//! ([`describe`]); a test compares the documents with that list.

mod document;
mod inline;
mod key;
mod kind;
mod name;
mod nearest;
mod notes;
mod origins;
mod problem;
mod secret;
mod section;
mod text;
mod variables;

#[cfg(test)]
mod tests;

pub use self::{
    document::{Document, describe},
    inline::InlineSecrets,
    key::Key,
    kind::{Kind, address, bytes, count, duration, flag, http_url, one_of, path, paths, text, url},
    name::{is_name, is_name_byte, problem_of_name},
    nearest::nearest,
    origins::Origins,
    problem::{Problem, SettingsError},
    secret::{Given, Secret},
    section::Section,
    text::read_settings_text,
};
pub(crate) use self::{
    inline::Exposed,
    secret::secret_in,
    text::{open_file, read_bytes},
};
