//! One run of tests: all processes that one `cargo test` or one nextest starts.

use std::{
    env, fs,
    os::unix::process::parent_id,
    path::{Path, PathBuf},
    time::Duration,
};

/// A run of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    id: String,
}

impl Run {
    /// The run that this process belongs to. nextest names its runs. For Cargo it is the parent,
    /// with the time at which it was started: process ids are used again.
    pub fn current() -> Option<Self> {
        if let Ok(id) = env::var("NEXTEST_RUN_ID") {
            return Some(Self { id });
        }
        let parent = parent_id();
        let stat = fs::read_to_string(format!("/proc/{parent}/stat")).ok()?;
        // The name of the program may have spaces and brackets in it. The start is field 22.
        let (_, fields) = stat.rsplit_once(") ")?;
        let start = fields.split(' ').nth(19)?;
        Some(Self { id: format!("{parent}-{start}") })
    }

    /// The file with the lines of this run, in the target folder.
    pub fn file(&self) -> Option<PathBuf> {
        let program = env::current_exe().ok()?;
        let folder = program.parent().and_then(Path::parent)?.join("skipped-tests");
        fs::create_dir_all(&folder).ok()?;
        Some(folder.join(&self.id))
    }

    /// The lines of the run, which are forgotten with this. So are those of runs that did not get
    /// to their end, a day later.
    pub fn take_lines(&self) -> Vec<String> {
        let Some(file) = self.file() else { return Vec::new() };
        let text = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(&file);
        let others = file.parent().and_then(|folder| fs::read_dir(folder).ok());
        for other in others.into_iter().flatten().flatten() {
            if is_old(&other).unwrap_or_default() {
                let _ = fs::remove_file(other.path());
            }
        }
        text.lines().map(str::to_owned).collect()
    }
}

fn is_old(file: &fs::DirEntry) -> Option<bool> {
    let age = file.metadata().ok()?.modified().ok()?.elapsed().ok()?;
    Some(age > Duration::from_hours(24))
}
