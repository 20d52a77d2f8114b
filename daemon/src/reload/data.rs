//! What links of a folder of code lead to that is no code: templates, texts, certificates, or files
//! that the function writes. It is not watched.

use std::{fs::Metadata, path::Path};

use walkdir::WalkDir;

use super::{code::is_considered, places::Places};

/// How many files and folders are looked at.
const ENTRIES_MAX: usize = 10_000;

impl Places {
    /// Looks at all data that links of the folder lead to, and calls `each` with its path and what
    /// it is. `None` is what cannot be looked at. Links in the data are followed. False if not all
    /// code and data was looked at, since there is too much.
    pub fn look_at_data(&self, mut each: impl FnMut(&Path, Option<&Metadata>)) -> bool {
        let mut left = ENTRIES_MAX;
        for link in &self.data {
            let entries = WalkDir::new(link).follow_links(true).into_iter();
            for entry in entries.filter_entry(is_considered) {
                let Some(less) = left.checked_sub(1) else { return false };
                left = less;
                match entry.and_then(|entry| Ok((entry.metadata()?, entry))) {
                    Ok((metadata, entry)) => each(entry.path(), Some(&metadata)),
                    Err(error) => each(error.path().unwrap_or(link), None),
                }
            }
        }
        self.is_complete
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs,
        os::unix::fs::symlink,
        path::{Path, PathBuf},
    };

    use super::ENTRIES_MAX;
    use crate::reload::walk;

    /// The data behind the links of `folder`, each with its size, and whether this is all.
    fn data(folder: &Path) -> (BTreeMap<PathBuf, Option<u64>>, bool) {
        let mut data = BTreeMap::new();
        let is_all = walk(folder, |_, _| {}).look_at_data(|path, metadata| {
            let size = metadata.filter(|metadata| metadata.is_file()).map(|file| file.len());
            data.insert(path.strip_prefix(folder).unwrap().to_owned(), size);
        });
        (data, is_all)
    }

    #[test]
    fn all_that_is_no_code_behind_links_is_data() {
        let around = tempfile::tempdir().unwrap();
        let at = |name: &str| around.path().join(name);
        let code = at("code");
        for name in ["code", "templates/deep", "lib", "mount/..1"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["templates/deep/page.html", "lib/util.py", "mount/..1/key.pem", "text.txt"] {
            fs::write(at(name), name).unwrap();
        }
        symlink("..1", at("mount/..data")).unwrap();
        for name in ["templates", "lib", "mount", "text.txt"] {
            symlink(at(name), code.join(name)).unwrap();
        }
        for (target, name) in [("/", "root"), ("..", "up"), ("nothing.txt", "nothing.txt")] {
            symlink(target, code.join(name)).unwrap();
        }
        let names = [
            ("mount", None),
            ("mount/..1", None),
            ("mount/..1/key.pem", Some(17)),
            ("mount/..data", None),
            ("mount/..data/key.pem", Some(17)),
            ("nothing.txt", None),
            ("templates", None),
            ("templates/deep", None),
            ("templates/deep/page.html", Some(24)),
            ("text.txt", Some(8)),
        ];
        let expected = names.map(|(name, size)| (PathBuf::from(name), size)).into();
        assert_eq!(data(&code), (expected, true));
    }

    #[test]
    fn too_much_data_is_told() {
        let around = tempfile::tempdir().unwrap();
        let (code, much) = (around.path().join("code"), around.path().join("much"));
        for folder in [&code, &much] {
            fs::create_dir(folder).unwrap();
        }
        symlink(&much, code.join("much")).unwrap();
        // The folder is an entry too.
        for number in 1..ENTRIES_MAX {
            fs::write(much.join(number.to_string()), "").unwrap();
        }
        assert!(data(&code).1);
        fs::write(much.join("more"), "").unwrap();
        assert!(!data(&code).1);
    }
}
