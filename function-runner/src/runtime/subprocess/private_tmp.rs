//! A `/tmp` of its own for each instance, as in the cloud: a folder that is mounted at `/tmp` in a
//! mount namespace of the instance (`mount_namespaces(7)`), and removed with the instance.
//!
//! If the code or the interpreter is in the machine's `/tmp`, it stays visible at its path.

use std::{
    ffi::CString,
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, chown},
    },
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::OnceLock,
};

use nix::{
    fcntl::{OFlag, open},
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::stat::Mode,
    unistd::{Gid, Uid, chdir, write},
};

use crate::settings::User;

const TMP: &str = "/tmp";

/// The folder that the instance sees as `/tmp`. It has to be removed.
#[derive(Debug)]
pub(super) struct PrivateTmp {
    folder: PathBuf,
    way: Way,
    kept: Vec<PathBuf>,
}

/// How the runner can make a namespace.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// As a privileged user.
    Plain,
    /// In a user namespace, with the same user.
    AsUser,
}

/// The mounts, prepared before the fork: after it no memory may be taken.
#[derive(Debug)]
pub(super) struct Mounts {
    way: Way,
    binds: Vec<(CString, CString)>,
    working_folder: CString,
    user_map: String,
    group_map: String,
}

impl PrivateTmp {
    /// Whether this runner can give its instances a `/tmp`.
    pub(super) fn is_possible() -> bool {
        way().is_some()
    }

    /// A new folder called `name`, for a function that needs the files `needed`. `None` if the
    /// system does not allow it.
    pub(super) fn new(
        name: &str,
        needed: &[&Path],
        user: Option<User>,
    ) -> io::Result<Option<Self>> {
        let Some(way) = way() else { return Ok(None) };
        if matches!(way, Way::AsUser) && user.is_some() {
            // Such a namespace has no other users.
            return Ok(None);
        }
        Self::with(way, name, needed, user).map(Some)
    }

    fn with(way: Way, name: &str, needed: &[&Path], user: Option<User>) -> io::Result<Self> {
        let folder = ours(process::id()).join(name);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(folder.parent().unwrap_or(&folder))?;
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        if let Some(User { id, group }) = user {
            chown(&folder, Some(id.as_raw()), Some(group.as_raw()))?;
        }
        let mut kept: Vec<PathBuf> = Vec::new();
        for file in needed {
            let Ok(below) = file.strip_prefix(TMP) else { continue };
            // The whole folder in `/tmp`: code may be linked to code beside it.
            let Some(first) = below.components().next() else { continue };
            let top = Path::new(TMP).join(first);
            if !kept.contains(&top) {
                fs::create_dir(folder.join(first))?;
                kept.push(top);
            }
        }
        Ok(Self { folder, way, kept })
    }

    pub(super) fn mounts(&self, working_folder: &Path) -> io::Result<Mounts> {
        let mut binds = Vec::new();
        for kept in &self.kept {
            let below = kept.strip_prefix(TMP).unwrap_or(kept);
            binds.push((c_string(kept)?, c_string(&self.folder.join(below))?));
        }
        binds.push((c_string(&self.folder)?, c_string(Path::new(TMP))?));
        let (user, group) = (Uid::effective(), Gid::effective());
        Ok(Mounts {
            way: self.way,
            binds,
            working_folder: c_string(working_folder)?,
            user_map: format!("{user} {user} 1"),
            group_map: format!("{group} {group} 1"),
        })
    }

    /// Removes the folder with its content.
    pub(super) async fn remove(self) {
        let folder = self.folder;
        let _ = tokio::task::spawn_blocking(move || fs::remove_dir_all(folder)).await;
    }
}

impl Mounts {
    /// Makes all mounts, in the process that calls this. Only system calls are made.
    pub(super) fn make(&self) -> io::Result<()> {
        match self.way {
            Way::Plain => unshare(CloneFlags::CLONE_NEWNS)?,
            Way::AsUser => {
                unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUSER)?;
                put(c"/proc/self/setgroups", "deny")?;
                put(c"/proc/self/uid_map", &self.user_map)?;
                put(c"/proc/self/gid_map", &self.group_map)?;
            }
        }
        let none: Option<&str> = None;
        // So that the mounts are not seen outside of the namespace.
        mount(none, c"/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        for (from, to) in &self.binds {
            mount(
                Some(from.as_c_str()),
                to.as_c_str(),
                none,
                MsFlags::MS_BIND | MsFlags::MS_REC,
                none,
            )?;
        }
        // Again by its name: a mount may cover the folder that had this name.
        Ok(chdir(self.working_folder.as_c_str())?)
    }
}

fn put(file: &std::ffi::CStr, text: &str) -> nix::Result<()> {
    let file = open(file, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    write(file, text.as_bytes()).map(drop)
}

fn c_string(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// The folder of a runner with the process id `id`.
fn ours(id: u32) -> PathBuf {
    Path::new(TMP).join(format!("longhold-{id}"))
}

/// Finds out once, with a child that only makes the mounts.
fn way() -> Option<Way> {
    static WAY: OnceLock<Option<Way>> = OnceLock::new();
    *WAY.get_or_init(|| {
        remove_stale();
        [Way::Plain, Way::AsUser].into_iter().find(|way| works(*way).is_ok())
    })
}

fn works(way: Way) -> io::Result<()> {
    let tmp = PrivateTmp::with(way, "probe", &[], None)?;
    let mounts = tmp.mounts(Path::new("/"));
    let tried = mounts.and_then(try_in_child);
    fs::remove_dir_all(tmp.folder)?;
    tried
}

#[expect(unsafe_code, reason = "only a child can have a namespace of its own")]
fn try_in_child(mounts: Mounts) -> io::Result<()> {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", ":"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec only system calls are made. No memory or lock is taken.
    unsafe {
        command.pre_exec(move || mounts.make());
    }
    if command.status()?.success() { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
}

/// Removes the folders of runners that were killed.
fn remove_stale() {
    for entry in fs::read_dir(TMP).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix("longhold-"));
        let is_stale = |id: &str| {
            id.bytes().all(|byte| byte.is_ascii_digit()) && !Path::new("/proc").join(id).exists()
        };
        if process.is_some_and(is_stale) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
