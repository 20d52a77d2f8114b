//! Hides the secrets of this process from an instance: it finds files empty, and folders without
//! files.
//!
//! An instance without a user of its own could read them otherwise: the tokens of the services and
//! of the operator, keys of TLS, the settings files.

use std::{
    ffi::{CStr, CString},
    io,
};

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
};

use super::mounts::{bind, c_string};
use crate::runtime::subprocess::secrets::Secrets;

/// What is hidden, by the paths at which an instance would find it.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    folders: Vec<CString>,
    files: Vec<CString>,
}

impl Hidden {
    pub(super) fn new(secrets: &Secrets) -> io::Result<Self> {
        let folders = secrets.folders.iter().map(|folder| c_string(folder));
        let files = secrets.files.iter().map(|file| c_string(file));
        Ok(Self {
            folders: folders.collect::<io::Result<_>>()?,
            files: files.collect::<io::Result<_>>()?,
        })
    }

    /// Hides it, in the namespace of the process that calls this. Only system calls are made.
    pub(super) fn hide(&self) -> io::Result<()> {
        for folder in &self.folders {
            unless_out_of_reach(empty(folder))?;
        }
        for file in &self.files {
            unless_out_of_reach(bind(c"/dev/null", file))?;
        }
        Ok(())
    }
}

/// Mounts a folder without files, to which nothing can be written.
fn empty(folder: &CStr) -> io::Result<()> {
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    Ok(mount(Some(c"tmpfs"), folder, Some(c"tmpfs"), flags, Some(c"size=4k,mode=555"))?)
}

/// What is gone, or in a folder that this instance does not have or may not enter, need not be
/// hidden. Any other error keeps the instance from its start.
fn unless_out_of_reach(hidden: io::Result<()>) -> io::Result<()> {
    let errno = |error: &io::Error| error.raw_os_error().map(Errno::from_raw);
    match hidden {
        // EPERM is not among these: then the system forbids the mount, and the secret is in reach.
        Err(error)
            if matches!(errno(&error), Some(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES)) =>
        {
            Ok(())
        }
        hidden => hidden,
    }
}
