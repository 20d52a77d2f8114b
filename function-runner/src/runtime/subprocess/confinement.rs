//! The confinement of an instance: the limits, the `/tmp` and the user of its process.
//!
//! The child sets all of this itself before it executes the program. So the confinement holds from
//! the first instruction of the program, and for all processes that the program starts.

use std::{
    fs::File,
    io,
    os::unix::process::{CommandExt, parent_id},
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
    unistd::{setgid, setgroups, setuid, write},
};
use tracing::info;

use super::{
    cgroup::{Cgroup, Hierarchy},
    limits::Limits,
    private_tmp::{Mounts, PrivateTmp},
    program::Program,
    spawner,
};
use crate::settings::User;

/// Open files of one process (documented). Without this, children inherit the limit of the runner.
const OPEN_FILES_MAX: u64 = 1024;

/// The confinement of one instance. It has to be lifted.
#[derive(Debug)]
pub(super) struct Confinement {
    cgroup: Option<Cgroup>,
    tmp: Option<PrivateTmp>,
}

/// The steps that the child takes before it executes the program.
struct Steps {
    runner: u32,
    cgroup_files: Vec<File>,
    mounts: Option<Mounts>,
    user: Option<User>,
}

/// Logs once which limits are in force on this machine.
pub(super) fn announce() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let limits = if hierarchy().is_some() {
            "memory and processes of functions are limited by control groups"
        } else {
            "no control group can be made: memory of functions is watched, the number of their \
             processes is not limited"
        };
        let tmp = if PrivateTmp::is_possible() {
            "each instance has a /tmp of its own"
        } else {
            "no mount can be made: functions share the /tmp of the machine"
        };
        info!("{limits}; {tmp}");
    });
}

fn hierarchy() -> Option<&'static Hierarchy> {
    static HIERARCHY: OnceLock<Option<Hierarchy>> = OnceLock::new();
    let open = || {
        let hierarchy = Hierarchy::open().ok()?;
        spawner::fence(hierarchy.folders());
        Some(hierarchy)
    };
    HIERARCHY.get_or_init(open).as_ref()
}

impl Confinement {
    /// Makes the confinement of an instance of `program`, which `command` enters when it starts.
    pub(super) async fn new(
        program: &Program,
        limits: &Limits,
        command: &mut Command,
    ) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", limits.function_name);
        let cgroup = hierarchy().map(|it| Cgroup::new(it, &name, limits.memory_mb)).transpose()?;
        let mut confinement = Self { cgroup, tmp: None };
        match confinement.prepare(program, &name, command) {
            Ok(()) => Ok(confinement),
            Err(error) => {
                confinement.lift().await;
                Err(error)
            }
        }
    }

    fn prepare(&mut self, program: &Program, name: &str, command: &mut Command) -> io::Result<()> {
        let needed = [program.executable.as_path(), &program.code];
        if program.private_tmp {
            self.tmp = PrivateTmp::new(name, &needed, program.user)?;
        }
        let steps = Steps {
            runner: process::id(),
            cgroup_files: self
                .cgroup
                .as_ref()
                .map(Cgroup::entry_files)
                .transpose()?
                .unwrap_or_default(),
            mounts: self.tmp.as_ref().map(|tmp| tmp.mounts(&program.code)).transpose()?,
            user: program.user,
        };
        steps.put_before(command);
        Ok(())
    }

    /// Whether the kernel has killed a process because memory ran out.
    pub(super) fn is_out_of_memory(&self) -> bool {
        self.cgroup.as_ref().is_some_and(Cgroup::is_out_of_memory)
    }

    /// Kills all processes of the instance that are left, and removes its group and its `/tmp`.
    pub(super) async fn lift(self) {
        if let Some(cgroup) = self.cgroup {
            cgroup.remove().await;
        }
        if let Some(tmp) = self.tmp {
            tmp.remove().await;
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
        if let Some(User { id, group }) = self.user {
            setgroups(&[group])?;
            setgid(group)?;
            setuid(id)?;
        }
        // After the change of the user, which would clear it.
        set_pdeathsig(Signal::SIGKILL)?;
        // The runner may have died before the line above.
        if parent_id() != self.runner {
            return Err(io::Error::from(Errno::ESRCH));
        }
        // The function starts even if the kernel or a container forbids these.
        let _ = set_no_new_privs();
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
        let _ = setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES_MAX, OPEN_FILES_MAX);
        Ok(())
    }
}
