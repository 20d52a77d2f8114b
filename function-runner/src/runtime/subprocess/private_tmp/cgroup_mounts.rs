//! Makes the control groups of the machine read-only for an instance. A function can read its own
//! limits there, and change none.

use std::{
    ffi::{CStr, CString},
    fs, io,
};

use nix::mount::{MsFlags, mount};

/// A place where control groups are mounted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CgroupMount {
    place: CString,
    flags: MsFlags,
}

/// All of them that this process sees.
pub(super) fn all() -> io::Result<Vec<CgroupMount>> {
    Ok(fs::read_to_string("/proc/self/mountinfo")?.lines().filter_map(parse).collect())
}

/// Reads a line of `mountinfo` (`proc_pid_mountinfo(5)`). `None` if it is of another kind.
fn parse(line: &str) -> Option<CgroupMount> {
    let (mount, file_system) = line.split_once(" - ")?;
    if !matches!(file_system.split(' ').next()?, "cgroup" | "cgroup2") {
        return None;
    }
    let mut fields = mount.split(' ').skip(4);
    let place = CString::new(fields.next()?).ok()?;
    // In a user namespace these must stay as they are.
    let options = fields.next()?.split(',').map(|option| match option {
        "nosuid" => MsFlags::MS_NOSUID,
        "nodev" => MsFlags::MS_NODEV,
        "noexec" => MsFlags::MS_NOEXEC,
        "noatime" => MsFlags::MS_NOATIME,
        "nodiratime" => MsFlags::MS_NODIRATIME,
        "relatime" => MsFlags::MS_RELATIME,
        _ => MsFlags::empty(),
    });
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    Some(CgroupMount { place, flags: options.fold(flags, |flags, option| flags | option) })
}

impl CgroupMount {
    /// Only a system call is made.
    pub(super) fn protect(&self) -> nix::Result<()> {
        let none: Option<&CStr> = None;
        mount(none, self.place.as_c_str(), none, self.flags, none)
    }
}

#[cfg(test)]
mod tests {
    use nix::mount::MsFlags;

    use super::{CgroupMount, parse};

    #[test]
    fn mounts_of_control_groups_are_found_with_their_options() {
        let read_only = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        let line = "35 24 0:30 / /sys/fs/cgroup rw,nosuid,relatime shared:9 - cgroup2 cgroup2 rw";
        let found = CgroupMount {
            place: c"/sys/fs/cgroup".to_owned(),
            flags: read_only | MsFlags::MS_NOSUID | MsFlags::MS_RELATIME,
        };
        assert_eq!(parse(line), Some(found));
        let line = "36 24 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        let place = c"/sys/fs/cgroup/memory".to_owned();
        assert_eq!(parse(line), Some(CgroupMount { place, flags: read_only }));
        assert_eq!(parse("24 1 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw"), None);
        assert_eq!(parse(""), None);
    }
}
