//! Whether a function can have a `/tmp` of its own, and still see the folders that it needs.

use std::path::{Path, PathBuf};

use super::{Surroundings, whole};
use crate::model::Function;

/// The folders that each instance has for itself.
const PRIVATE: [&str; 3] = ["/tmp", "/dev/shm", "/var/tmp"];

/// Whether each folder that the function needs is outside of these, or in the one of them that the
/// runner leaves visible: that of the code.
pub(super) fn is_possible(function: &Function, surroundings: &Surroundings) -> bool {
    let shim = surroundings.shim.as_ref().filter(|_| function.entry.is_some());
    let code = shim.unwrap_or(&function.code);
    let needed = [shim.map(|_| &function.code), surroundings.libraries.get(&function.name)];
    let visible = hidden(code);
    needed.into_iter().flatten().all(|folder| {
        let hidden = hidden(folder);
        hidden.is_none() || hidden == visible
    })
}

/// The folder right below a private one that `path` is in.
fn hidden(path: &Path) -> Option<PathBuf> {
    let path = whole(path);
    PRIVATE.iter().find_map(|private| {
        let below = path.strip_prefix(private).ok()?;
        Some(Path::new(private).join(below.components().next()?))
    })
}
