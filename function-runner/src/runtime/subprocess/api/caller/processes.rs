//! The processes of an instance, and which sockets they have open.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The processes of an instance: those in its control group. Without one, its child, the process
/// group of the child, and all descendants of these.
#[derive(Debug, Clone)]
pub(in crate::runtime::subprocess) struct Processes {
    child: i32,
    /// The file `cgroup.procs` of its control group.
    group: Option<PathBuf>,
}

/// Whether a process of the instance has a socket open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Yes,
    No,
    /// The runner may not see the files of some process.
    Unknown,
}

/// What `/proc/<id>/stat` says of a process.
struct Stat {
    id: i32,
    parent: i32,
    group: i32,
}

impl Processes {
    pub(in crate::runtime::subprocess) fn new(child: i32, group: Option<PathBuf>) -> Self {
        Self { child, group }
    }

    /// Whether a process has the socket with the number `inode` open.
    pub(super) fn hold(&self, inode: u32) -> Holds {
        // Most connections are those of the child itself.
        let child = holds(self.child, inode);
        if child == Holds::Yes {
            return child;
        }
        let mut found = child;
        for process in self.ids() {
            match holds(process, inode) {
                Holds::Yes => return Holds::Yes,
                Holds::Unknown => found = Holds::Unknown,
                Holds::No => {}
            }
        }
        found
    }

    fn ids(&self) -> Vec<i32> {
        let group = self.group.as_ref().and_then(|file| fs::read_to_string(file).ok());
        group.map_or_else(
            || family(self.child),
            |text| text.lines().filter_map(|line| line.parse().ok()).collect(),
        )
    }
}

/// The id of a process that has the socket open, whoever's it is.
pub(super) fn holder(inode: u32) -> Option<i32> {
    all().into_iter().find(|process| holds(*process, inode) == Holds::Yes)
}

fn holds(process: i32, inode: u32) -> Holds {
    let wanted = format!("socket:[{inode}]");
    match fs::read_dir(format!("/proc/{process}/fd")) {
        Ok(files) => {
            let mut targets = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
            let has = targets.any(|target| target == Path::new(&wanted));
            if has { Holds::Yes } else { Holds::No }
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Holds::Unknown,
        // It has ended.
        Err(_) => Holds::No,
    }
}

/// The process group of `child`, and all descendants of its processes.
fn family(child: i32) -> Vec<i32> {
    let stats: Vec<_> = all().into_iter().filter_map(stat).collect();
    let mut family = BTreeSet::from([child]);
    loop {
        let before = family.len();
        for stat in &stats {
            if stat.group == child || family.contains(&stat.parent) {
                family.insert(stat.id);
            }
        }
        if family.len() == before {
            return family.into_iter().collect();
        }
    }
}

fn all() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn stat(id: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program is in brackets, and may have any characters in it.
    let mut fields = text.rsplit_once(") ")?.1.split(' ').skip(1);
    Some(Stat { id, parent: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        net::TcpListener,
        os::{fd::AsRawFd, unix::fs::MetadataExt},
        process::{self, Command, Stdio},
    };

    use super::{Holds, Processes, holder};

    #[test]
    fn a_socket_is_found_in_its_own_process_only() {
        let own = process::id().cast_signed();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let file = fs::metadata(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
        let inode = u32::try_from(file.ino()).unwrap();
        assert_eq!(holder(inode), Some(own));
        assert_eq!(Processes::new(own, None).hold(inode), Holds::Yes);
        let other = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut other = other.unwrap();
        let processes = Processes::new(other.id().cast_signed(), None);
        assert_eq!(processes.hold(inode), Holds::No);
        drop(other.stdin.take());
        other.wait().unwrap();
        assert_eq!(processes.hold(inode), Holds::No);
    }

    /// Without a control group.
    #[test]
    fn descendants_of_the_child_belong_to_the_instance() {
        let parent = nix::unistd::getppid().as_raw();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let file = fs::metadata(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
        let inode = u32::try_from(file.ino()).unwrap();
        assert_eq!(Processes::new(parent, None).hold(inode), Holds::Yes);
    }
}
