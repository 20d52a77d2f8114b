//! The code of functions, as text: which files there are, and what of the cloud they name.

mod files;
mod handler;
mod javascript;
mod mentions;

pub use self::javascript::{Import, ImportKind, javascript_imports};
pub(crate) use self::{
    files::{files_of, read},
    handler::{candidates, handler_files},
    mentions::{Mentions, is_api_id},
};
