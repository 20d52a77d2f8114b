//! What an instance may do: the limits, the `/tmp` and the user of its process.
//!
//! All of it is set by the child itself before it becomes the program, so it holds from the first
//! instruction on, and for all that the program starts.

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

/// Open files of one process (documented). A runner may need more, and children would inherit that.
const OPEN_FILES_MAX: u64 = 1024;

/// What one instance is confined by. It has to be lifted.
#[derive(Debug)]
pub(super) struct Confinement {
    cgroup: Option<Cgroup>,
    tmp: Option<PrivateTmp>,
}

/// What the child does for it.
struct Steps {
    runner: u32,
    doors: Vec<File>,
    mounts: Option<Mounts>,
    user: Option<User>,
}

/// Says once what is in force on this machine.
pub(super) fn announce() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let fence = if hierarchy().is_some() {
            "memory and processes of functions are limited by control groups"
        } else {
            "no control group can be made: memory of functions is watched, their processes are not \
             limited"
        };
        let tmp = if PrivateTmp::is_possible() {
            "each instance has a /tmp of its own"
        } else {
            "no mount can be made: functions share the /tmp of the machine"
        };
        info!("{fence}; {tmp}");
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
    /// Makes what an instance of `program` needs, and has `command` enter it.
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
            doors: self.cgroup.as_ref().map(Cgroup::doors).transpose()?.unwrap_or_default(),
            mounts: self.tmp.as_ref().map(|tmp| tmp.mounts(&program.code)).transpose()?,
            user: program.user,
        };
        steps.put_before(command);
        Ok(())
    }

    /// Whether the kernel has ended a process for want of memory.
    pub(super) fn is_out_of_memory(&self) -> bool {
        self.cgroup.as_ref().is_some_and(Cgroup::is_out_of_memory)
    }

    /// Kills what is left of the instance, wherever it has gone, and tidies up.
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
    #[expect(unsafe_code, reason = "only the child itself can do this")]
    fn put_before(self, command: &mut Command) {
        // SAFETY: between fork and exec only system calls are made: no memory is taken, no lock.
        unsafe {
            command.pre_exec(move || self.take());
        }
    }

    fn take(&self) -> io::Result<()> {
        for door in &self.doors {
            write(door, b"0")?;
        }
        if let Some(mounts) = &self.mounts {
            mounts.make()?;
        }
        if let Some(User { id, group }) = self.user {
            setgroups(&[group])?;
            setgid(group)?;
            setuid(id)?;
        }
        // Now, for a change of the user takes it back.
        set_pdeathsig(Signal::SIGKILL)?;
        // The runner may have died before the line above.
        if parent_id() != self.runner {
            return Err(io::Error::from(Errno::ESRCH));
        }
        // What a kernel or a container forbids here is no reason not to start.
        let _ = set_no_new_privs();
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
        let _ = setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES_MAX, OPEN_FILES_MAX);
        Ok(())
    }
}
