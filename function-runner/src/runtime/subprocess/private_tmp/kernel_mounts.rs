//! Makes the control groups and the settings of the machine's kernel read-only for an instance. A
//! function can read its own limits there, and change none. By the settings a process of root could
//! have the kernel start programs outside of the control group: `core_pattern`, `binfmt_misc`.
//!
//! Each mount has to be made read-only for itself. They may be anywhere, such as in a jail.

use std::{
    ffi::{CStr, CString},
    fs, io,
};

use nix::mount::{MsFlags, mount};

/// File systems in which the kernel shows its control groups.
const CGROUPS: [&str; 2] = ["cgroup", "cgroup2"];
/// File systems in which the kernel shows its settings.
const SETTINGS: [&str; 9] = [
    "binfmt_misc",
    "bpf",
    "configfs",
    "debugfs",
    "efivarfs",
    "pstore",
    "securityfs",
    "sysfs",
    "tracefs",
];
/// All that is mounted below these is made read-only.
const FOLDERS: [&str; 2] = ["/sys/", "/proc/sys/"];

/// A place where control groups or settings of the kernel are mounted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KernelMount {
    place: CString,
    flags: MsFlags,
    has_cgroups: bool,
}

/// All of them that this process sees.
pub(super) fn all() -> io::Result<Vec<KernelMount>> {
    Ok(fs::read_to_string("/proc/self/mountinfo")?.lines().filter_map(parse).collect())
}

/// Reads a line of `mountinfo` (`proc_pid_mountinfo(5)`). `None` if it is of another kind.
fn parse(line: &str) -> Option<KernelMount> {
    let (mount, file_system) = line.split_once(" - ")?;
    let file_system = file_system.split(' ').next()?;
    let mut fields = mount.split(' ').skip(4);
    let place = unescaped(fields.next()?);
    let has_cgroups = CGROUPS.contains(&file_system);
    let is_below = FOLDERS.iter().any(|folder| place.starts_with(folder.as_bytes()));
    let has_settings = match file_system {
        // What it shows is another mount.
        "autofs" => false,
        // Programs write to files in `/proc`, such as their own `oom_score_adj`.
        "proc" => place != b"/proc",
        name => is_below || SETTINGS.contains(&name),
    };
    if !has_cgroups && !has_settings {
        return None;
    }
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
    let flags = options.fold(flags, |flags, option| flags | option);
    Some(KernelMount { place: CString::new(place).ok()?, flags, has_cgroups })
}

/// A space is `\040` in this file.
fn unescaped(field: &str) -> Vec<u8> {
    let mut parts = field.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let octal = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.extend(octal);
        bytes.extend_from_slice(part.get(3..).unwrap_or_default().as_bytes());
    }
    bytes
}

impl KernelMount {
    pub(super) fn has_cgroups(&self) -> bool {
        self.has_cgroups
    }

    /// Only a system call is made.
    pub(super) fn protect(&self) -> nix::Result<()> {
        let none: Option<&CStr> = None;
        mount(none, self.place.as_c_str(), none, self.flags, none)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use nix::mount::MsFlags;

    use super::{KernelMount, parse};

    fn found(place: &CStr, flags: MsFlags, has_cgroups: bool) -> Option<KernelMount> {
        let read_only = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        Some(KernelMount { place: place.to_owned(), flags: flags | read_only, has_cgroups })
    }

    #[test]
    fn mounts_of_control_groups_are_found_with_their_options() {
        let line = "35 24 0:30 / /sys/fs/cgroup rw,nosuid,relatime shared:9 - cgroup2 cgroup2 rw";
        let options = MsFlags::MS_NOSUID | MsFlags::MS_RELATIME;
        assert_eq!(parse(line), found(c"/sys/fs/cgroup", options, true));
        let line = "36 24 0:31 / /srv/groups/memory rw - cgroup cgroup rw,memory";
        assert_eq!(parse(line), found(c"/srv/groups/memory", MsFlags::empty(), true));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn mounts_of_settings_of_the_kernel_are_found_wherever_they_are() {
        for (place, file_system, expected) in [
            ("/sys", "sysfs", Some(c"/sys")),
            ("/sys/fs/cgroup", "tmpfs", Some(c"/sys/fs/cgroup")),
            ("/proc/sys/fs/binfmt_misc", "binfmt_misc", Some(c"/proc/sys/fs/binfmt_misc")),
            ("/srv/a\\040jail/proc", "proc", Some(c"/srv/a jail/proc")),
            ("/proc/sys/fs/binfmt_misc", "autofs", None),
            ("/proc", "proc", None),
            ("/system", "ext4", None),
        ] {
            let line = format!("24 1 0:22 / {place} rw shared:7 - {file_system} none rw");
            let expected = expected.and_then(|place| found(place, MsFlags::empty(), false));
            assert_eq!(parse(&line), expected, "{line}");
        }
    }
}
