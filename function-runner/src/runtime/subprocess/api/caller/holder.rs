//! Which process has a socket open.

use std::{fs, io, path::Path};

use crate::runtime::subprocess::processes::{Processes, all_ids};

/// Whether a process of the instance has a socket open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Yes,
    No,
    /// The runner may not see the files of some process.
    Unknown,
}

/// Whether one of `processes` has the socket with the number `inode` open.
pub(super) fn hold(processes: &Processes, inode: u32) -> Holds {
    // Most connections are those of the child itself.
    let child = holds(processes.child(), inode);
    if child == Holds::Yes {
        return child;
    }
    let mut found = child;
    for process in processes.ids() {
        match holds(process, inode) {
            Holds::Yes => return Holds::Yes,
            Holds::Unknown => found = Holds::Unknown,
            Holds::No => {}
        }
    }
    found
}

/// The id of a process that has the socket open, whoever's it is.
pub(super) fn holder(inode: u32) -> Option<i32> {
    all_ids().find(|process| holds(*process, inode) == Holds::Yes)
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

#[cfg(test)]
mod tests {
    use std::{
        fs,
        net::TcpListener,
        os::{fd::AsRawFd, unix::fs::MetadataExt},
        process::{self, Command, Stdio},
    };

    use super::{Holds, Processes, hold, holder};

    #[test]
    fn a_socket_is_found_in_its_own_process_only() {
        let own = process::id().cast_signed();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let file = fs::metadata(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
        let inode = u32::try_from(file.ino()).unwrap();
        assert_eq!(holder(inode), Some(own));
        assert_eq!(hold(&Processes::new(own, None), inode), Holds::Yes);
        let other = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut other = other.unwrap();
        let processes = Processes::new(other.id().cast_signed(), None);
        assert_eq!(hold(&processes, inode), Holds::No);
        drop(other.stdin.take());
        other.wait().unwrap();
        assert_eq!(hold(&processes, inode), Holds::No);
    }

    /// Without a control group.
    #[test]
    fn descendants_of_the_child_belong_to_the_instance() {
        let parent = nix::unistd::getppid().as_raw();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let file = fs::metadata(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
        let inode = u32::try_from(file.ino()).unwrap();
        assert_eq!(hold(&Processes::new(parent, None), inode), Holds::Yes);
    }
}
