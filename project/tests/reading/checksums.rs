//! Reading a project changes nothing in it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use project::Surroundings;
use sha2::{Digest, Sha256};

use super::{read, sample};

type Files = BTreeMap<PathBuf, (Vec<u8>, SystemTime)>;

/// The checksum and the time of each file and folder.
fn checksums(folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let changed = path.metadata().unwrap().modified().unwrap();
        let sum = if path.is_dir() {
            checksums(&path, files);
            Vec::new()
        } else {
            Sha256::digest(fs::read(&path).unwrap()).to_vec()
        };
        files.insert(path, (sum, changed));
    }
}

#[test]
fn reading_changes_no_file() {
    let folder = sample("");
    let (mut before, mut after) = (Files::new(), Files::new());
    checksums(&folder, &mut before);
    assert!(before.len() > 20, "{}", before.len());
    read(&folder).project.settings(&Surroundings::default());
    checksums(&folder, &mut after);
    assert_eq!(before, after);
}
