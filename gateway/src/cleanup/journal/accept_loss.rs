//! Makes a new journal of what can be read of a damaged one, at the word of an operator.
//!
//! The damaged files are kept. A process that dies in between leaves a journal that is refused.

use std::{
    fmt::{self, Display},
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    error::{JournalOpenError, Loss},
    marker::sync_folder_of,
    store::{Files, Store, make_folder},
};
use crate::settings::{JournalSettings, JournalSync};

/// What has become of a journal whose loss was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AcceptedLoss {
    /// There is no journal in this folder.
    NoJournal(PathBuf),
    /// This journal can be used as it is. Nothing was changed.
    NotDamaged(PathBuf),
    /// The journal was made anew.
    Accepted {
        /// Owed cleanups that could be read. The next start delivers them.
        read: u64,
        /// Owed cleanups that may be missing.
        loss: Loss,
        /// The folder with the damaged files.
        kept: PathBuf,
    },
}

/// The least length of a main file that has a log: one page. `SQLite` reads a first page that is
/// damaged from the log, if the log has it, but deletes the log of an empty file.
const PAGE: u64 = 4096;

/// Accepts that a damaged journal has lost cleanups. No gateway may use the journal meanwhile.
pub(crate) fn accept_loss(settings: &JournalSettings) -> Result<AcceptedLoss, JournalOpenError> {
    let files = Files::within(&settings.dir);
    let Files { main, log, marker } = &files;
    if settings.sync == JournalSync::Off || ![main, log, marker].iter().any(|file| file.exists()) {
        return Ok(AcceptedLoss::NoJournal(settings.dir.clone()));
    }
    match Store::open(settings) {
        Ok(store) => {
            // Closing it writes nothing that the next start needs.
            let _ = store.close();
            return Ok(AcceptedLoss::NotDamaged(main.clone()));
        }
        Err(JournalOpenError::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string().replace(':', "-");
    let folder = |what: &str| settings.dir.join(format!("{what}-{now}"));
    let (new, kept) = (folder("new"), folder("damaged"));
    make_folder(&new)?;
    let accepted = remake(settings, &files, &new, &kept);
    // What is left of it is of no use.
    let _ = fs::remove_dir_all(&new);
    accepted
}

fn remake(
    settings: &JournalSettings,
    files: &Files,
    new: &Path,
    kept: &Path,
) -> Result<AcceptedLoss, JournalOpenError> {
    let failed = |error| JournalOpenError::Disk(settings.dir.clone(), error);
    // Reading a damaged file may change it, so a copy is read.
    let copy = Files::within(&new.join("copy"));
    make_folder(&new.join("copy"))?;
    copy_files(files, &copy).map_err(failed)?;
    let mut store = Store::open(&JournalSettings { dir: new.to_owned(), ..settings.clone() })?;
    let salvaged = store.salvage(&copy.main, &files.marker).and_then(|read| {
        store.close()?;
        Ok(read)
    });
    let (read, loss) = salvaged.map_err(|error| failed(io::Error::other(error)))?;
    make_folder(kept)?;
    replace(files, &Files::within(new), kept, &settings.dir).map_err(failed)?;
    Ok(AcceptedLoss::Accepted { read, loss, kept: kept.to_owned() })
}

fn copy_files(files: &Files, copy: &Files) -> io::Result<()> {
    for (from, to) in [(&files.main, &copy.main), (&files.log, &copy.log)] {
        if from.exists() {
            fs::copy(from, to)?;
        }
    }
    let main = File::options().create(true).append(true).open(&copy.main)?;
    if main.metadata()?.len() < PAGE { main.set_len(PAGE) } else { Ok(()) }
}

/// The new marker comes first, since it fits no other file than the new one.
fn replace(files: &Files, new: &Files, folder: &Path, dir: &Path) -> io::Result<()> {
    let kept = Files::within(folder);
    if files.marker.exists() {
        fs::copy(&files.marker, &kept.marker)?;
    }
    let owner = fs::metadata(dir)?;
    for path in [&new.main, &new.marker, &kept.marker, folder] {
        // The operator may be root, and the gateway another user. Others need not do it.
        let _ = chown(path, Some(owner.uid()), Some(owner.gid()));
    }
    fs::rename(&new.marker, &files.marker)?;
    for (from, to) in [(&files.main, &kept.main), (&files.log, &kept.log)] {
        if from.exists() {
            fs::rename(from, to)?;
        }
    }
    fs::rename(&new.main, &files.main)?;
    sync_folder_of(&files.main)?;
    sync_folder_of(&kept.main)
}

impl Display for AcceptedLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJournal(dir) => {
                write!(f, "there is no journal in {}: nothing was changed", dir.display())
            }
            Self::NotDamaged(file) => {
                write!(f, "the journal {} is not damaged: nothing was changed", file.display())
            }
            Self::Accepted { read, loss, kept } => write!(
                f,
                "{read} owed cleanups could be read, and the next start delivers them; {loss}; the \
                 damaged files are in {}",
                kept.display()
            ),
        }
    }
}
