//! What is in a folder of code, with the code that its links lead to, and where that is.
//!
//! Links may lead out of the folder. A link to a folder around the code, such as `..` or `/`, is
//! not followed. A link to data is only known by its name. A link that leads nowhere, or in a
//! circle, is a file that cannot be looked at.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{self, Path, PathBuf},
};

use walkdir::WalkDir;

use super::code::{is_code_file, is_code_folder, is_considered};

/// How many files and folders are looked at. Beyond these, changes are not seen.
pub(super) const ENTRIES_MAX: usize = 200_000;
/// How many links one path may lead through. The kernel allows 40.
const HOPS_MAX: usize = 100;

/// A folder on the disk, whatever its name: another one may get its name.
pub(super) type FolderId = (u64, u64);

/// Where the content of a folder is. All paths are absolute, and their folders have no links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Folders, with everything in them.
    pub(super) folders: BTreeMap<PathBuf, FolderId>,
    /// Links, and files and folders that links lead to.
    pub(super) singles: BTreeSet<PathBuf>,
    /// Links to what is no code. It belongs to none of the places.
    pub(super) data: BTreeSet<PathBuf>,
    /// Whether all files of the code were looked at.
    pub(super) is_complete: bool,
}

/// Looks at everything in `folder`, and calls `each` with its path and what it is. `None` is what
/// cannot be looked at.
pub fn walk(folder: &Path, each: impl FnMut(&Path, Option<&Metadata>)) -> Places {
    let mut walk = Walk {
        each,
        places: Places { is_complete: true, ..Places::default() },
        folders: VecDeque::new(),
        left: ENTRIES_MAX,
        known: BTreeSet::new(),
    };
    walk.places.follow(folder, &mut walk.known);
    match folder.canonicalize() {
        Ok(root) => walk.run(&root),
        Err(_) => (walk.each)(folder, None),
    }
    walk.places
}

struct Walk<F> {
    each: F,
    places: Places,
    /// Folders to look at, each after a link that leads there.
    folders: VecDeque<(PathBuf, PathBuf)>,
    /// How many files may still be looked at.
    left: usize,
    /// Paths that were followed.
    known: BTreeSet<PathBuf>,
}

impl<F: FnMut(&Path, Option<&Metadata>)> Walk<F> {
    fn run(&mut self, root: &Path) {
        self.folders.push_back((root.to_owned(), root.to_owned()));
        while let Some((link, folder)) = self.folders.pop_front() {
            if has(&self.places.folders, &folder) {
                continue;
            }
            if folder != root && !is_code_folder(&link, &folder) {
                self.places.data.insert(link);
                continue;
            }
            let Some(id) = id_of(&folder) else { continue };
            self.places.folders.insert(folder.clone(), id);
            if !self.look_into(&folder, root) {
                self.places.is_complete = false;
                // Not watched: nobody knows how large it is.
                if folder != root {
                    self.places.folders.remove(&folder);
                }
                break;
            }
        }
        let Places { folders, singles, .. } = &mut self.places;
        singles.retain(|path| !has(folders, path));
    }

    /// Looks at what is in `folder`. False if there is too much.
    fn look_into(&mut self, folder: &Path, root: &Path) -> bool {
        let entries = WalkDir::new(folder).sort_by_file_name().into_iter();
        for entry in entries.filter_entry(is_considered) {
            let Some(left) = self.left.checked_sub(1) else { return false };
            self.left = left;
            match entry.and_then(|entry| Ok((entry.metadata()?, entry))) {
                Ok((metadata, entry)) => {
                    (self.each)(entry.path(), Some(&metadata));
                    if entry.path_is_symlink() {
                        self.look_behind(entry.path(), root);
                    }
                }
                Err(error) => (self.each)(error.path().unwrap_or(folder), None),
            }
        }
        true
    }

    fn look_behind(&mut self, link: &Path, root: &Path) {
        let target = fs::metadata(link).and_then(|metadata| Ok((link.canonicalize()?, metadata)));
        match &target {
            Ok((target, metadata)) if metadata.is_dir() => {
                if !root.starts_with(target) {
                    self.folders.push_back((link.to_owned(), target.clone()));
                }
            }
            Ok((target, metadata)) if is_code_file(link, Some((target, metadata))) => {
                (self.each)(link, Some(metadata));
            }
            Err(_) if is_code_file(link, None) => (self.each)(link, None),
            Ok(_) | Err(_) => {
                self.places.data.insert(link.to_owned());
                return;
            }
        }
        self.places.follow(link, &mut self.known);
    }
}

impl Places {
    /// Where a file that is named `path` is.
    pub(super) fn of_file(path: &Path) -> Self {
        let mut places = Self { is_complete: true, ..Self::default() };
        places.follow(path, &mut BTreeSet::new());
        places
    }

    /// Whether something at `path` concerns these places.
    pub(super) fn have(&self, path: &Path) -> bool {
        self.singles.contains(path) || has(&self.folders, path)
    }

    /// Takes in `path`, all links in it, and all that they lead to. `known` are paths that were
    /// followed before.
    fn follow(&mut self, path: &Path, known: &mut BTreeSet<PathBuf>) {
        let mut paths = VecDeque::from([path::absolute(path).unwrap_or_else(|_| path.to_owned())]);
        for _ in 0..HOPS_MAX {
            let Some(path) = paths.pop_front() else { return };
            self.singles.extend(place_of(&path));
            for part in path.ancestors() {
                // What is above a known path is known.
                if !known.insert(part.to_owned()) {
                    break;
                }
                if let (Ok(target), Some(folder)) = (fs::read_link(part), part.parent()) {
                    self.singles.extend(place_of(part));
                    paths.push_back(folder.join(target));
                }
            }
        }
    }
}

/// The path of `path` without links, but for the last name. `None` if its folder is not there.
fn place_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent()?.canonicalize().ok()?;
    match path.file_name() {
        Some(name) => Some(folder.join(name)),
        None => path.canonicalize().ok(),
    }
}

/// What folder is at `path` now.
pub(super) fn id_of(path: &Path) -> Option<FolderId> {
    let metadata = fs::metadata(path).ok().filter(Metadata::is_dir)?;
    Some((metadata.dev(), metadata.ino()))
}

fn has(folders: &BTreeMap<PathBuf, FolderId>, path: &Path) -> bool {
    path.ancestors().any(|part| folders.contains_key(part))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs,
        os::unix::fs::{PermissionsExt, symlink},
        path::Path,
    };

    use super::walk;

    /// The paths that are looked at in `folder`, and whether each can be looked at.
    fn seen(folder: &Path) -> BTreeMap<String, bool> {
        let mut seen = BTreeMap::new();
        walk(&folder.join("code"), |path, metadata| {
            let path = path.strip_prefix(folder).unwrap().display().to_string();
            seen.insert(path, metadata.is_some());
        });
        seen
    }

    #[test]
    fn links_are_followed_once_and_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        for name in ["code/inner", "shared/deep"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        for name in ["code/index.py", "shared/deep/package.py", "util.py"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let link = |target: &str, name: &str| symlink(target, folder.join(name)).unwrap();
        link("../shared", "code/vendor");
        link("../shared/deep", "code/again");
        link("../util.py", "code/util.py");
        link("../code/inner", "shared/back");
        let expected = [
            "code",
            "code/again",
            "code/index.py",
            "code/inner",
            "code/util.py",
            "code/vendor",
            "shared",
            "shared/back",
            "shared/deep",
            "shared/deep/package.py",
        ];
        let expected: BTreeMap<_, _> = expected.map(|path| (path.to_owned(), true)).into();
        assert_eq!(seen(&folder), expected);
        // Those lead around the code, in a circle, and nowhere.
        link("..", "code/inner/up");
        link("/", "code/root");
        link("circle", "code/circle");
        link("nowhere", "code/broken");
        let more = seen(&folder);
        assert_eq!(more.len(), expected.len() + 4, "{more:#?}");
        let cannot: Vec<_> = more.iter().filter(|(_, can)| !**can).map(|(path, _)| path).collect();
        assert_eq!(cannot, ["code/broken", "code/circle"]);
    }

    #[test]
    fn links_to_data_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        for name in ["code", "data/deep", "lib/deep", "bin", "empty"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        for name in [
            "data/deep/log",
            "data/roster.json",
            "data/roster.db",
            "data/config.json",
            "lib/deep/util.mjs",
            "bin/tool",
            "util",
        ] {
            fs::write(folder.join(name), "").unwrap();
        }
        for (library, name) in [("native", "libx.so.1.2"), ("texts", "notes.so.far")] {
            fs::create_dir(folder.join(library)).unwrap();
            fs::write(folder.join(library).join(name), "").unwrap();
        }
        fs::set_permissions(folder.join("bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
        let link = |target: &str, name: &str| symlink(target, folder.join(name)).unwrap();
        for name in ["data", "lib", "bin", "native", "texts"] {
            link(&format!("../{name}"), &format!("code/{name}"));
        }
        link("../data/roster.db", "code/roster.db");
        link("../data/config.json", "code/config.json");
        link("../util", "code/util.py");
        link("../empty", "code/vendor");
        let places = walk(&folder.join("code"), |_, _| {});
        let code = ["bin/new", "lib/deep/new", "native/new", "util", "empty/new"];
        for path in code.into_iter().chain(["data/config.json", "code/data"]) {
            assert!(places.have(&folder.join(path)), "{path} in {places:#?}");
        }
        for path in ["data/deep/log", "data/roster.json", "data/roster.db", "data/new", "texts/new"]
        {
            assert!(!places.have(&folder.join(path)), "{path} in {places:#?}");
        }
        let before = seen(&folder);
        fs::write(folder.join("data/more"), "").unwrap();
        assert_eq!(seen(&folder), before);
    }

    #[test]
    fn all_places_on_the_way_of_a_link_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        fs::create_dir_all(folder.join("code")).unwrap();
        fs::create_dir_all(folder.join("releases/1/vendor")).unwrap();
        let link = |target: &str, name: &str| symlink(target, folder.join(name)).unwrap();
        link("releases/1", "current");
        link("../current/vendor", "code/vendor");
        link("../current/missing.py", "code/missing.py");
        link("code", "named");
        let places = walk(&folder.join("named"), |_, _| {});
        let concerned = [
            "named",
            "code",
            "code/index.py",
            "current",
            "releases/1/vendor",
            "releases/1/vendor/package.py",
            "releases/1/missing.py",
        ];
        for path in concerned {
            assert!(places.have(&folder.join(path)), "{path} in {places:#?}");
        }
        for path in ["", "releases", "releases/1/other.py", "other"] {
            assert!(!places.have(&folder.join(path)), "{path} in {places:#?}");
        }
    }
}
