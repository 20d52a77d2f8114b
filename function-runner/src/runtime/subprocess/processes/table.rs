//! All processes that the runner sees, with their parents and process groups.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::all_ids;

/// How old a table may be that instances share.
const RECENT: Duration = Duration::from_millis(100);
/// A table that takes long to read is used for so many times that long. So a machine with very many
/// processes costs the runner a tenth of a core at most.
const RECENT_PER_READ: u32 = 9;

#[derive(Debug)]
pub(super) struct ProcessTable(Vec<Stat>);

/// What `/proc/<id>/stat` says of a process.
#[derive(Debug)]
pub(super) struct Stat {
    pub(super) id: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
}

/// The table that was read last, and until when it is used.
static LAST: Mutex<Option<(Instant, Arc<ProcessTable>)>> = Mutex::new(None);

impl ProcessTable {
    /// Takes a system call or three for each process of the machine.
    pub(super) fn read() -> Self {
        Self(all_ids().filter_map(Stat::of).collect())
    }

    /// The table of a moment ago. All instances look at the same one.
    pub(super) fn recent() -> Arc<Self> {
        let mut last = LAST.lock().expect("nothing panics with the lock held");
        let begin = Instant::now();
        if let Some((until, table)) = &*last
            && begin < *until
        {
            return Arc::clone(table);
        }
        let table = Arc::new(Self::read());
        let now = Instant::now();
        let until = now + RECENT.max((now - begin) * RECENT_PER_READ);
        *last = Some((until, Arc::clone(&table)));
        table
    }

    pub(super) fn stats(&self) -> &[Stat] {
        &self.0
    }
}

impl Stat {
    fn of(id: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name of the program is in brackets, and may have any characters in it.
        let mut fields = text.rsplit_once(") ")?.1.split(' ').skip(1);
        Some(Self { id, parent: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    }
}
