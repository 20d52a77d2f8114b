//! Keeps the processes of an instance from making or entering user namespaces
//! (`user_namespaces(7)`).
//!
//! A process has all capabilities in a user namespace of its own, whatever it has elsewhere. It
//! could mount the control groups anew there, and change its own limits. The kernel refuses the
//! system calls (`seccomp(2)`), as containers have them refused.

use std::{env::consts::ARCH, io};

use nix::{errno::Errno, libc};
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// This bit marks the numbers of system calls of the x32 interface, which do the same.
#[cfg(target_arch = "x86_64")]
const X32: libc::c_long = 0x4000_0000;

/// The filter, one program for each error that it answers with.
#[derive(Debug, Clone)]
pub(super) struct NamespaceFilter([BpfProgram; 2]);

/// A system call, and when it is refused.
type Refused = (libc::c_long, Vec<SeccompRule>);

impl NamespaceFilter {
    /// An error if this processor is not known.
    pub(super) fn new() -> Result<Self, BackendError> {
        let arch = ARCH.try_into()?;
        let with_flag = vec![user_namespace_flag()?];
        let refused = vec![
            (libc::SYS_unshare, with_flag.clone()),
            (libc::SYS_clone, with_flag),
            // Into another one's namespace. The other kinds of namespaces need capabilities.
            (libc::SYS_setns, Vec::new()),
        ];
        // A filter cannot see the flags of this one. Libraries use `clone` if it is not there.
        let absent = vec![(libc::SYS_clone3, Vec::new())];
        Ok(Self([program(refused, Errno::EPERM, arch)?, program(absent, Errno::ENOSYS, arch)?]))
    }

    /// Sets the filter for this process, and all that it starts. Only system calls are made.
    pub(super) fn set(&self) -> io::Result<()> {
        self.0.iter().try_for_each(|program| match apply_filter(program) {
            Ok(()) => Ok(()),
            Err(Error::Prctl(error) | Error::Seccomp(error)) => Err(error),
            Err(Error::Backend(_) | Error::EmptyFilter | Error::ThreadSync(_)) => {
                Err(io::ErrorKind::InvalidInput.into())
            }
        })
    }
}

/// The first argument asks for a user namespace.
fn user_namespace_flag() -> Result<SeccompRule, BackendError> {
    let flag = u64::from(libc::CLONE_NEWUSER.cast_unsigned());
    let is_set = SeccompCmpOp::MaskedEq(flag);
    SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Dword, is_set, flag)?])
}

fn program(
    refused: Vec<Refused>,
    error: Errno,
    arch: TargetArch,
) -> Result<BpfProgram, BackendError> {
    let mut rules: Vec<_> = refused;
    #[cfg(target_arch = "x86_64")]
    rules.extend(rules.clone().into_iter().map(|(number, rules)| (number | X32, rules)));
    let answer = SeccompAction::Errno(error as u32);
    let rules = rules.into_iter().collect();
    SeccompFilter::new(rules, SeccompAction::Allow, answer, arch)?.try_into()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, process::Command, thread};

    use nix::{
        errno::Errno,
        sched::{CloneFlags, setns, unshare},
    };

    use super::NamespaceFilter;

    #[test]
    fn user_namespaces_are_refused_and_threads_and_processes_are_not() {
        // The filter holds for the thread that sets it, and what this thread starts.
        let confined = thread::spawn(|| {
            NamespaceFilter::new().unwrap().set().unwrap();
            let (user, mount) = (CloneFlags::CLONE_NEWUSER, CloneFlags::CLONE_NEWNS);
            assert_eq!(unshare(user), Err(Errno::EPERM));
            assert_eq!(unshare(user | mount), Err(Errno::EPERM));
            let own = File::open("/proc/self/ns/user").unwrap();
            assert_eq!(setns(own, CloneFlags::empty()), Err(Errno::EPERM));
            assert_eq!(unshare(CloneFlags::empty()), Ok(()));
            assert_eq!(thread::spawn(|| 1).join().unwrap(), 1);
            assert!(Command::new("true").status().unwrap().success());
        });
        confined.join().unwrap();
    }
}
