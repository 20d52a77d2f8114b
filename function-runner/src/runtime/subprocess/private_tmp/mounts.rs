//! The mounts of one instance: prepared by the runner, made by the child after the fork.
//!
//! After the fork no memory may be taken, so all paths are written down before.

use std::{
    array,
    ffi::{CStr, CString},
    io::{self, Write},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, open},
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::stat::{FchmodatFlags, Mode, fchmodat},
    unistd::{Gid, Uid, chdir, mkdir, write},
};

use super::{
    Way,
    cgroup_mounts::{self, CgroupMount},
};

/// The folder at which the file system is mounted first. The others become folders of it.
const TMP: &str = "/tmp";
/// The folders that an instance has for itself. `/tmp` is the last one: it hides the file system.
const PRIVATE: [&str; 3] = ["/dev/shm", "/var/tmp", TMP];
/// How many files of the machine stay visible at most: the program and its code.
const KEPT_MAX: usize = 2;
/// Files in the file system for each MiB: one for each page.
const FILES_FOR_MB: u64 = 256;

#[derive(Debug)]
pub(in super::super) struct Mounts {
    way: Way,
    /// The options of the file system.
    options: CString,
    binds: Vec<Bind>,
    kept: Vec<Kept>,
    cgroup_mounts: Vec<CgroupMount>,
    working_folder: CString,
    user_map: String,
    group_map: String,
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

impl Mounts {
    /// For a program that needs the files `needed`.
    pub(super) fn new(
        way: Way,
        needed: &[&Path],
        working_folder: &Path,
        size_mb: u32,
    ) -> io::Result<Self> {
        let size_mb = u64::from(size_mb);
        let options = format!("mode=1777,size={size_mb}m,nr_inodes={}", size_mb * FILES_FOR_MB);
        let (user, group) = (Uid::effective(), Gid::effective());
        let mut mounts = Self {
            way,
            options: CString::new(options)?,
            binds: Vec::new(),
            kept: Vec::new(),
            cgroup_mounts: cgroup_mounts::all()?,
            working_folder: c_string(working_folder)?,
            user_map: format!("{user} {user} 1"),
            group_map: format!("{group} {group} 1"),
        };
        for folder in PRIVATE.map(Path::new) {
            if folder.is_dir() {
                let inner = inner(folder);
                mounts.binds.push(Bind { from: c_string(&inner)?, to: c_string(folder)? });
                mounts.keep(folder, &inner, needed)?;
            }
        }
        Ok(mounts)
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

    /// Makes all mounts, in the process that calls this. Only system calls are made.
    pub(in super::super) fn make(&self) -> io::Result<()> {
        self.enter_namespaces()?;
        let none: Option<&str> = None;
        // So that the mounts are not seen outside of the namespace.
        mount(none, c"/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
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
        for mount in &self.cgroup_mounts {
            // One that another mount hides cannot be reached by its path, and needs no protection.
            let _ = mount.protect();
        }
        self.protect_machine();
        // Again by its name: a mount may cover the folder that had this name.
        Ok(chdir(self.working_folder.as_c_str())?)
    }

    /// Shared memory and queues of System V get a namespace too, or they would outlive the
    /// instance.
    fn enter_namespaces(&self) -> io::Result<()> {
        let flags = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC;
        match self.way {
            Way::Plain => unshare(flags)?,
            Way::AsUser => {
                unshare(flags | CloneFlags::CLONE_NEWUSER)?;
                put(c"/proc/self/setgroups", "deny")?;
                put(c"/proc/self/uid_map", &self.user_map)?;
                put(c"/proc/self/gid_map", &self.group_map)?;
            }
        }
        Ok(())
    }

    /// Makes the settings of the machine's kernel read-only. By them a process of root could have
    /// the kernel start programs outside of the control group, such as that of `core_pattern`.
    fn protect_machine(&self) {
        match self.way {
            Way::Plain => {
                // A container may have made them read-only, or hidden them.
                let _ = bind(c"/proc/sys", c"/proc/sys");
                let _ = read_only(c"/proc/sys");
                let _ = read_only(c"/sys");
            }
            // No process of such a namespace is root for the machine.
            Way::AsUser => {}
        }
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

fn bind(from: &CStr, to: &CStr) -> io::Result<()> {
    let none: Option<&str> = None;
    Ok(mount(Some(from), to, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?)
}

fn read_only(path: &CStr) -> nix::Result<()> {
    let none: Option<&str> = None;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(none, path, none, flags | safe, none)
}

/// A folder that everybody may write to, whatever the umask is.
fn make_folder(path: &CStr) -> nix::Result<()> {
    mkdir(path, Mode::S_IRWXU)?;
    let mode = Mode::S_ISVTX | Mode::S_IRWXU | Mode::S_IRWXG | Mode::S_IRWXO;
    fchmodat(AT_FDCWD, path, mode, FchmodatFlags::FollowSymlink)
}

fn put(file: &CStr, text: &str) -> nix::Result<()> {
    let file = open(file, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    write(file, text.as_bytes()).map(drop)
}

/// Where `folder` is in the file system: `/tmp/dev-shm` for `/dev/shm`.
fn inner(folder: &Path) -> PathBuf {
    let name = folder.to_string_lossy().trim_start_matches('/').replace('/', "-");
    Path::new(TMP).join(name)
}

fn c_string(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}
