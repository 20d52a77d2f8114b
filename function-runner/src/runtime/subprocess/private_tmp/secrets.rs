//! Hides the files that have secrets of this process from an instance, which finds them empty.
//!
//! An instance without a user of its own could read them otherwise: the tokens of the services and
//! of the operator, keys of TLS, the settings files.

use std::{
    ffi::CString,
    io,
    path::{Path, PathBuf},
};

use super::mounts::{bind, c_string};

/// The files, by the paths at which an instance would find them.
#[derive(Debug)]
pub(super) struct HiddenFiles(Vec<CString>);

impl HiddenFiles {
    /// Of `secrets` those that are files now. What the function has in its own folder `code` is its
    /// own.
    pub(super) fn new(secrets: Vec<PathBuf>, code: &Path) -> io::Result<Self> {
        // Links may be changed while the function runs: the file behind them is hidden.
        let files = secrets.iter().filter_map(|file| file.canonicalize().ok());
        let files = files.filter(|file| file.is_file() && !file.starts_with(code));
        Ok(Self(files.map(|file| c_string(&file)).collect::<io::Result<_>>()?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hides them, in the namespace of the process that calls this. Only system calls are made.
    pub(super) fn hide(&self) -> io::Result<()> {
        for file in &self.0 {
            match bind(c"/dev/null", file) {
                // It is gone, or in a folder that this instance does not have or may not enter.
                Err(error) if is_out_of_reach(error.kind()) => {}
                hidden => hidden?,
            }
        }
        Ok(())
    }
}

fn is_out_of_reach(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(kind, NotFound | NotADirectory | PermissionDenied)
}
