//! The confinement of an instance: the limits, the folders and the user of its process.
//!
//! The child sets all of this itself before it executes the program. So the confinement holds from
//! the first instruction of the program, and for all processes that the program starts.

use std::{
    fs::File,
    io,
    os::unix::process::{CommandExt, parent_id},
    path::PathBuf,
    process::{self, Command},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use nix::{
    errno::Errno,
    sys::{
        prctl::{set_no_new_privs, set_pdeathsig},
        resource::{Resource, setrlimit},
        signal::Signal,
    },
    unistd::{Uid, setgid, setgroups, setuid, write},
};
use tracing::{info, warn};

use super::{
    api, capabilities,
    cgroup::{Cgroup, Hierarchy},
    child_cloud::ChildCloud,
    limits::Limits,
    namespaces::NamespaceFilter,
    private_tmp::{self, Mounts},
    program::Program,
    secrets::{Fence, Secrets},
    spawner, trial,
};
use crate::settings::User;

/// Open files of one process (documented). Without this, children inherit the limit of the runner.
const OPEN_FILES_MAX: u64 = 1024;

/// The confinement of one instance. It has to be lifted.
#[derive(Debug)]
pub(super) struct Confinement {
    cgroup: Option<Cgroup>,
}

/// The steps that the child takes before it executes the program.
struct Steps {
    runner: u32,
    cgroup_files: Vec<File>,
    mounts: Option<Mounts>,
    user: Option<User>,
    fence: Option<Fence>,
    namespaces: Option<&'static NamespaceFilter>,
}

/// Logs once which limits are in force on this machine.
pub(super) fn announce() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        match hierarchy() {
            Ok(_) => info!("memory and processes of functions are limited by control groups"),
            Err(error) => warn!(
                error,
                "no control group can be made: memory of functions is watched, the number of their \
                 processes is not limited"
            ),
        }
        // Logs it if it is not so. Asked again for each connection if there is no answer now.
        let _ = api::can_be_known();
        if Uid::effective().is_root() && !trial::succeeds(drop_privileges) {
            warn!(
                "the system does not allow to take capabilities away: functions of root keep those of \
                 the runner"
            );
        }
        if hierarchy().is_ok() && namespace_filter().is_none() {
            warn!(
                "user namespaces cannot be refused: functions of the runner's user can change their \
                 memory limit"
            );
        }
        if private_tmp::is_possible() {
            info!("each instance has a /tmp and a /dev/shm of its own");
        } else {
            warn!(
                "no mount can be made: functions share the /tmp and the /dev/shm of the machine, and \
                 tmp_mb does not hold"
            );
            let open = Secrets::now().open_without_mounts();
            if !open.is_empty() {
                warn!(files = ?open, "functions of the runner's user can read files that have secrets");
            }
        }
    });
}

/// The place for control groups, or why there is none.
fn hierarchy() -> Result<&'static Hierarchy, &'static str> {
    static HIERARCHY: OnceLock<Result<Hierarchy, String>> = OnceLock::new();
    let open = || {
        let hierarchy = Hierarchy::open().map_err(|error| error.to_string())?;
        spawner::fence(hierarchy.folders());
        Ok(hierarchy)
    };
    HIERARCHY.get_or_init(open).as_ref().map_err(String::as_str)
}

/// What refuses user namespaces, if the system allows it. Found out once.
fn namespace_filter() -> Option<&'static NamespaceFilter> {
    static FILTER: OnceLock<Option<NamespaceFilter>> = OnceLock::new();
    let new = || {
        let filter = NamespaceFilter::new().ok()?;
        let tried = filter.clone();
        trial::succeeds(move || tried.set()).then_some(filter)
    };
    FILTER.get_or_init(new).as_ref()
}

/// Only system calls are made.
fn drop_privileges() -> io::Result<()> {
    capabilities::limit()?;
    Ok(set_no_new_privs()?)
}

impl Confinement {
    /// Makes the confinement of an instance of `program`, which `command` enters when it starts.
    pub(super) async fn new(
        program: &Program,
        limits: &Limits,
        cloud: &ChildCloud,
        command: &mut Command,
    ) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", limits.function_name);
        let mounts =
            private_tmp::mounts(program, cloud.folder(), limits.tmp_mb, hierarchy().is_ok())?;
        // Files in the private folders are in memory, and have a limit of their own.
        let has_folders = mounts.as_ref().is_some_and(Mounts::has_folders);
        let files_mb = if has_folders { limits.tmp_mb } else { 0 };
        let memory_mb = limits.memory_mb + files_mb;
        let cgroup = hierarchy().ok().map(|it| Cgroup::new(it, &name, memory_mb)).transpose()?;
        let fence = match mounts {
            None => Fence::around(&Secrets::now().folders),
            Some(_) => None,
        };
        let confinement = Self { cgroup };
        match confinement.entry_files() {
            Ok(cgroup_files) => {
                let (runner, user) = (process::id(), program.user);
                // Without a control group there is nothing that they could change.
                let namespaces = confinement.cgroup.as_ref().and_then(|_| namespace_filter());
                Steps { runner, cgroup_files, mounts, user, fence, namespaces }.put_before(command);
                Ok(confinement)
            }
            Err(error) => {
                confinement.lift().await;
                Err(error)
            }
        }
    }

    fn entry_files(&self) -> io::Result<Vec<File>> {
        self.cgroup.as_ref().map_or_else(|| Ok(Vec::new()), Cgroup::entry_files)
    }

    /// The file that lists the processes of the instance, if it has a control group.
    pub(super) fn processes_file(&self) -> Option<PathBuf> {
        self.cgroup.as_ref().and_then(Cgroup::processes_file)
    }

    /// Whether the kernel has killed a process because memory ran out.
    pub(super) fn is_out_of_memory(&self) -> bool {
        self.cgroup.as_ref().is_some_and(Cgroup::is_out_of_memory)
    }

    /// Kills all processes of the instance that are left, and removes its group.
    pub(super) async fn lift(self) {
        if let Some(cgroup) = self.cgroup {
            cgroup.remove().await;
        }
    }
}

impl Steps {
    #[expect(unsafe_code, reason = "only the child itself can take these steps")]
    fn put_before(self, command: &mut Command) {
        // SAFETY: between fork and exec only system calls are made. No memory or lock is taken.
        unsafe {
            command.pre_exec(move || self.take());
        }
    }

    fn take(&self) -> io::Result<()> {
        for file in &self.cgroup_files {
            write(file, b"0")?;
        }
        if let Some(mounts) = &self.mounts {
            mounts.make()?;
        }
        // The function starts even if a container forbids this; the runner has warned of that.
        let _ = capabilities::limit_bounding_set();
        if let Some(User { id, group }) = self.user {
            setgroups(&[group])?;
            setgid(group)?;
            setuid(id)?;
        }
        // After the change of the user, for which they are needed.
        let _ = drop_privileges();
        // After the change of the user, which would clear it.
        set_pdeathsig(Signal::SIGKILL)?;
        // The runner may have died before the line above.
        if parent_id() != self.runner {
            return Err(io::Error::from(Errno::ESRCH));
        }
        // The function starts even if the kernel or a container forbids these.
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
        let _ = setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES_MAX, OPEN_FILES_MAX);
        if let Some(fence) = &self.fence {
            fence.set()?;
        }
        // The last step: the mounts need a namespace of their own.
        self.namespaces.map_or(Ok(()), NamespaceFilter::set)
    }
}
