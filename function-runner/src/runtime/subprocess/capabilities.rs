//! The capabilities that a function of root keeps (`capabilities(7)`).
//!
//! Without this a function of root could enter the namespaces of the runner, undo its mounts, and
//! move to another control group. Functions of other users have no capabilities anyway.
//!
//! Not even those that change the user: as another user, such a function could open the files of a
//! process of that user (`/proc/<pid>/root`), and then write to them as root, through mounts that
//! are not its own.

use rustix::{
    io,
    thread::{
        CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities,
    },
};

/// What containers have by default, without those for devices and for the user.
const KEPT: CapabilitySet = CapabilitySet::AUDIT_WRITE
    .union(CapabilitySet::CHOWN)
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SYS_CHROOT);

/// Takes all others away from the program that this process executes next, which must not gain
/// privileges (`no_new_privs`). Only system calls are made.
///
/// A container may forbid to change the bounding set, from which a program of root has its
/// capabilities. With `no_new_privs` it has those only that the process had before.
pub(super) fn limit() -> io::Result<()> {
    clear_ambient_capability_set()?;
    let _ = limit_bounding_set();
    let CapabilitySets { effective, permitted, .. } = capabilities(None)?;
    let inheritable = CapabilitySet::empty();
    let (effective, permitted) = (effective & KEPT, permitted & KEPT);
    set_capabilities(None, CapabilitySets { effective, permitted, inheritable })
}

/// Takes all others away from what programs can gain. Before a change of the user, which takes away
/// the right to do so.
pub(super) fn limit_bounding_set() -> io::Result<()> {
    for number in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if !KEPT.contains(capability) {
            match remove_capability_from_bounding_set(capability) {
                // The kernel does not know so many.
                Ok(()) | Err(io::Errno::INVAL) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
