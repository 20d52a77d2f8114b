//! The mounts of one instance: prepared by the runner, made by the child after the fork.
//!
//! After the fork no memory may be taken, so all paths are written down before.

use std::{
    ffi::{CStr, CString},
    io,
    os::unix::ffi::OsStrExt,
    path::Path,
};

use nix::{
    fcntl::{OFlag, open},
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{prctl::set_dumpable, stat::Mode},
    unistd::{Gid, Uid, chdir, write},
};

use super::{
    Way,
    folders::Folders,
    hidden::Hidden,
    kernel_mounts::{self, KernelMount},
};

#[derive(Debug)]
pub(in super::super) struct Mounts {
    way: Way,
    folders: Option<Folders>,
    hidden: Hidden,
    kernel_mounts: Vec<KernelMount>,
    working_folder: CString,
    user_map: String,
    group_map: String,
}

impl Mounts {
    /// Without `folders`, those of the machine are shared.
    pub(super) fn new(
        way: Way,
        folders: Option<Folders>,
        hidden: Hidden,
        working_folder: &Path,
    ) -> io::Result<Self> {
        let (user, group) = (Uid::effective(), Gid::effective());
        Ok(Self {
            way,
            folders,
            hidden,
            kernel_mounts: kernel_mounts::all()?,
            working_folder: c_string(working_folder)?,
            user_map: format!("{user} {user} 1"),
            group_map: format!("{group} {group} 1"),
        })
    }

    /// Whether the instance has a `/tmp` of its own.
    pub(in super::super) fn has_folders(&self) -> bool {
        self.folders.is_some()
    }

    /// Makes all mounts, in the process that calls this. Only system calls are made.
    pub(in super::super) fn make(&self) -> io::Result<()> {
        self.enter_namespaces()?;
        let none: Option<&str> = None;
        // So that the mounts are not seen outside of the namespace.
        mount(none, c"/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        if let Some(folders) = &self.folders {
            folders.make()?;
        }
        // After the folders: what an instance keeps of a folder of the machine may have some.
        self.hidden.hide()?;
        self.protect_machine();
        // Again by its name: a mount may cover the folder that had this name.
        Ok(chdir(self.working_folder.as_c_str())?)
    }

    /// With private folders, shared memory and queues of System V get a namespace too, or they
    /// would outlive the instance.
    fn enter_namespaces(&self) -> io::Result<()> {
        let mut flags = CloneFlags::CLONE_NEWNS;
        if self.has_folders() {
            flags |= CloneFlags::CLONE_NEWIPC;
        }
        match self.way {
            Way::Plain => unshare(flags)?,
            Way::AsUser => {
                unshare(flags | CloneFlags::CLONE_NEWUSER)?;
                // The files belong to root as long as this process is closed to others, as the
                // runner is.
                set_dumpable(true)?;
                put(c"/proc/self/setgroups", "deny")?;
                put(c"/proc/self/uid_map", &self.user_map)?;
                put(c"/proc/self/gid_map", &self.group_map)?;
                // Until the exec this process has the memory of the runner.
                set_dumpable(false)?;
            }
        }
        Ok(())
    }

    /// Makes the control groups and the settings of the machine's kernel read-only.
    fn protect_machine(&self) {
        let is_root = match self.way {
            Way::Plain => true,
            // No process of such a namespace is root for the machine.
            Way::AsUser => false,
        };
        if is_root {
            // A container may have made them read-only, or hidden them.
            let _ = bind(c"/proc/sys", c"/proc/sys");
            let _ = read_only(c"/proc/sys");
        }
        for mount in self.kernel_mounts.iter().filter(|mount| is_root || mount.has_cgroups()) {
            // One that another mount hides cannot be reached by its path, and needs no protection.
            let _ = mount.protect();
        }
    }
}

pub(super) fn bind(from: &CStr, to: &CStr) -> io::Result<()> {
    let none: Option<&str> = None;
    Ok(mount(Some(from), to, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?)
}

fn read_only(path: &CStr) -> nix::Result<()> {
    let none: Option<&str> = None;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(none, path, none, flags | safe, none)
}

fn put(file: &CStr, text: &str) -> nix::Result<()> {
    let file = open(file, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    write(file, text.as_bytes()).map(drop)
}

pub(super) fn c_string(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}
