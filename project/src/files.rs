//! Finds and reads the files of a project, within limits. Follows no link to a folder, and opens
//! nothing but regular files.

mod find;
mod text;

pub(crate) use self::{
    find::{Form, find},
    text::{TextError, read_bytes, read_text},
};
