//! The processes of an instance: those in its control group. Without one, its child, the process
//! group of the child, and all descendants of these.
//!
//! Without a control group, a process that has left the process group and has lost its parent is
//! not found.

mod table;

use std::{collections::BTreeSet, fs, path::PathBuf};

use self::table::ProcessTable;

/// The processes of an instance.
#[derive(Debug, Clone)]
pub(super) struct Processes {
    child: i32,
    /// The file `cgroup.procs` of its control group.
    group: Option<PathBuf>,
}

impl Processes {
    pub(super) fn new(child: i32, group: Option<PathBuf>) -> Self {
        Self { child, group }
    }

    /// The process that the runner has started.
    pub(super) fn child(&self) -> i32 {
        self.child
    }

    /// Those that there are now.
    pub(super) fn ids(&self) -> Vec<i32> {
        self.in_group().unwrap_or_else(|| family(self.child, &ProcessTable::read()))
    }

    /// Those that there were a moment ago. Costs less, if there is no control group.
    pub(super) fn recent_ids(&self) -> Vec<i32> {
        self.in_group().unwrap_or_else(|| family(self.child, &ProcessTable::recent()))
    }

    fn in_group(&self) -> Option<Vec<i32>> {
        let text = fs::read_to_string(self.group.as_ref()?).ok()?;
        Some(text.lines().filter_map(|line| line.parse().ok()).collect())
    }
}

/// The ids of all processes that the runner sees.
pub(super) fn all_ids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The process group of `child`, and all descendants of its processes.
fn family(child: i32, table: &ProcessTable) -> Vec<i32> {
    let mut family = BTreeSet::from([child]);
    loop {
        let before = family.len();
        for stat in table.stats() {
            if stat.group == child || family.contains(&stat.parent) {
                family.insert(stat.id);
            }
        }
        if family.len() == before {
            return family.into_iter().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        os::unix::process::CommandExt,
        process::{self, Child, Command, Stdio},
        sync::mpsc,
        thread,
        time::{Duration, Instant},
    };

    use super::{ProcessTable, Processes};

    /// A shell that leads a process group. Returns it and the first line that it writes.
    fn shell(commands: &str) -> (Child, String) {
        let mut shell = Command::new("sh");
        shell.args(["-c", commands]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.process_group(0).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (shell, line.trim().to_owned())
    }

    #[test]
    fn a_process_that_has_lost_its_parent_belongs_to_the_instance() {
        // The inner shell ends, and the process that it has started waits for the same input.
        let (mut shell, orphan) = shell("(cat <&3 >/dev/null & echo $!) 3<&0; read line; wait");
        let orphan: i32 = orphan.parse().unwrap();
        let leader = shell.id().cast_signed();
        let table = ProcessTable::read();
        let parent = table.stats().iter().find(|stat| stat.id == orphan).unwrap().parent;
        assert_ne!(parent, leader, "it has not lost its parent");
        let processes = Processes::new(leader, None);
        let ids = processes.ids();
        // The table of a moment ago may be one that another test has read.
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut recent = processes.recent_ids();
        while !recent.contains(&orphan) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
            recent = processes.recent_ids();
        }
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert!(ids.contains(&leader) && ids.contains(&orphan), "{orphan} is not in {ids:?}");
        assert!(recent.contains(&orphan), "{orphan} is not in {recent:?}");
    }

    #[test]
    fn a_process_that_a_thread_has_started_belongs_to_the_instance() {
        let (started, child) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let mut child = Command::new("cat");
            let child = child.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0).spawn();
            let mut child = child.unwrap();
            started.send(child.id().cast_signed()).unwrap();
            // The child is that of this thread, as long as the thread lives.
            let _ = ended.recv();
            drop(child.stdin.take());
            child.wait().unwrap();
        });
        let child = child.recv().unwrap();
        let ids = Processes::new(process::id().cast_signed(), None).ids();
        drop(end);
        thread.join().unwrap();
        assert!(ids.contains(&child), "{child} is not in {ids:?}");
    }
}
