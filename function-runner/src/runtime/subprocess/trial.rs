//! Finds out with a child process whether the system allows a step of the confinement.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use daemon::children;

/// Whether a child process can take `step` and then execute a program. Only system calls may be
/// made in `step`.
#[expect(unsafe_code, reason = "the step would confine the runner itself")]
pub(super) fn succeeds(step: impl FnMut() -> io::Result<()> + Send + Sync + 'static) -> bool {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", ":"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec only system calls are made. No memory or lock is taken.
    unsafe {
        command.pre_exec(step);
    }
    let Ok(mut child) = children::spawn(&mut command) else { return false };
    children::wait(&mut child).is_ok_and(|status| status.success())
}
