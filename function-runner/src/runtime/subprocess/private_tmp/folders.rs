//! The private folders of one instance: one file system in memory, prepared by the runner, mounted
//! by the child after the fork.
//!
//! After the fork no memory may be taken, so all paths are written down before.

use std::{
    array,
    ffi::{CStr, CString},
    io::{self, Write},
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, open},
    mount::{MsFlags, mount},
    sys::stat::{FchmodatFlags, Mode, fchmodat},
    unistd::mkdir,
};

use super::mounts::{bind, c_string};

/// The folder at which the file system is mounted first. The others become folders of it.
const TMP: &str = "/tmp";
/// The folders that an instance has for itself. `/tmp` is the last one: it hides the file system.
const PRIVATE: [&str; 3] = ["/dev/shm", "/var/tmp", TMP];
/// How many files of the machine stay visible at most: the program, its code, and the authorities
/// that it trusts.
const KEPT_MAX: usize = 3;
/// Files in the file system for each MiB: one for each page.
const FILES_FOR_MB: u64 = 256;

#[derive(Debug)]
pub(super) struct Folders {
    /// The options of the file system.
    options: CString,
    binds: Vec<Bind>,
    kept: Vec<Kept>,
}

/// A folder of the file system, and where the instance sees it.
#[derive(Debug)]
struct Bind {
    from: CString,
    to: CString,
}

/// A file or folder in one of the private folders that the program needs.
#[derive(Debug)]
struct Kept {
    path: CString,
    /// Its place in the file system.
    place: CString,
    is_folder: bool,
}

impl Folders {
    /// For a program that needs the files `needed`.
    pub(super) fn new(needed: &[&Path], size_mb: u32) -> io::Result<Self> {
        let size_mb = u64::from(size_mb);
        let options = format!("mode=1777,size={size_mb}m,nr_inodes={}", size_mb * FILES_FOR_MB);
        let options = CString::new(options)?;
        let mut folders = Self { options, binds: Vec::new(), kept: Vec::new() };
        for folder in PRIVATE.map(Path::new) {
            if folder.is_dir() {
                let inner = inner(folder);
                folders.binds.push(Bind { from: c_string(&inner)?, to: c_string(folder)? });
                folders.keep(folder, &inner, needed)?;
            }
        }
        Ok(folders)
    }

    /// Keeps what `needed` has in `folder`. The whole folder in it: code may be linked to code
    /// beside it.
    fn keep(&mut self, folder: &Path, inner: &Path, needed: &[&Path]) -> io::Result<()> {
        for file in needed {
            let first = file.strip_prefix(folder).ok().and_then(|below| below.iter().next());
            let Some(first) = first else { continue };
            let top = folder.join(first);
            let (path, place) = (c_string(&top)?, c_string(&inner.join(first))?);
            if self.kept.len() < KEPT_MAX && self.kept.iter().all(|kept| kept.path != path) {
                self.kept.push(Kept { path, place, is_folder: top.is_dir() });
            }
        }
        Ok(())
    }

    /// Mounts them, in the namespace of the process that calls this. Only system calls are made.
    pub(super) fn make(&self) -> io::Result<()> {
        let kept = self.open_kept()?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some(c"tmpfs"), TMP, Some(c"tmpfs"), flags, Some(self.options.as_c_str()))?;
        for Bind { from, .. } in &self.binds {
            make_folder(from)?;
        }
        for (kept, file) in self.kept.iter().zip(&kept) {
            kept.show(file.as_ref().ok_or(Errno::EBADF)?)?;
        }
        for Bind { from, to } in &self.binds {
            bind(from, to)?;
        }
        Ok(())
    }

    /// Opens what is kept before it is covered.
    fn open_kept(&self) -> nix::Result<[Option<OwnedFd>; KEPT_MAX]> {
        let mut files = array::from_fn(|_| None);
        for (file, kept) in files.iter_mut().zip(&self.kept) {
            let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
            *file = Some(open(kept.path.as_c_str(), flags, Mode::empty())?);
        }
        Ok(files)
    }
}

impl Kept {
    /// Shows `file`, which was opened before it was covered, at its place.
    fn show(&self, file: &OwnedFd) -> io::Result<()> {
        if self.is_folder {
            mkdir(self.place.as_c_str(), Mode::S_IRWXU)?;
        } else {
            let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
            drop(open(self.place.as_c_str(), flags, Mode::S_IRUSR)?);
        }
        // No memory may be taken for the path.
        let mut path = [0; 32];
        write!(&mut path[..], "/proc/self/fd/{}\0", file.as_raw_fd())?;
        bind(CStr::from_bytes_until_nul(&path).map_err(|_| Errno::EINVAL)?, &self.place)
    }
}

/// A folder that everybody may write to, whatever the umask is.
fn make_folder(path: &CStr) -> nix::Result<()> {
    mkdir(path, Mode::S_IRWXU)?;
    let mode = Mode::S_ISVTX | Mode::S_IRWXU | Mode::S_IRWXG | Mode::S_IRWXO;
    fchmodat(AT_FDCWD, path, mode, FchmodatFlags::FollowSymlink)
}

/// Where `folder` is in the file system: `/tmp/dev-shm` for `/dev/shm`.
fn inner(folder: &Path) -> PathBuf {
    let name = folder.to_string_lossy().trim_start_matches('/').replace('/', "-");
    Path::new(TMP).join(name)
}
