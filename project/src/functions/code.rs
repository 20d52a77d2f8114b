//! Where the code of a function is.

use std::path::{Component, Path, PathBuf};

use crate::{
    context::{Context, Noted, Said},
    nearest::nearest,
    yaml::Node,
};

/// The folder of the code, as the document says it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The folder that it starts from, relative to that of the project.
    pub(crate) from: PathBuf,
    pub(crate) said: Said,
}

impl Context<'_> {
    /// Reads `src`, `codeUri` or `code`: a text, or a map that has it. Without one it is the folder
    /// of the document. Relative to `from`.
    pub(crate) fn source(
        &mut self,
        inputs: &Node,
        from: &Path,
        name: &Said,
    ) -> Result<Source, Noted> {
        for key in ["src", "codeUri", "code"] {
            let Some(node) = self.needed(inputs, key)? else { continue };
            let said = if node.is_map() {
                match self.needed_text(&node, "src")? {
                    Some(said) => said,
                    None if node.get("object").is_some() || node.get("bucket").is_some() => {
                        let what = "the code is in a bucket of the cloud; download and unpack it, \
                                    and write src: and its folder";
                        self.notes.error(&node.spot, what);
                        return Err(Noted);
                    }
                    None => continue,
                }
            } else {
                self.as_text(key, &node, crate::note::Severity::Error)?
            };
            return Ok(Source { from: from.to_owned(), said });
        }
        let said = Said { text: ".".to_owned(), spot: name.spot.clone() };
        Ok(Source { from: from.to_owned(), said })
    }

    /// The folder, if it is there.
    pub(super) fn code(&mut self, source: &Source) -> Result<PathBuf, Noted> {
        let relative = joined(&source.from, &source.said.text);
        let is_whole = relative.as_os_str().is_empty();
        let folder = if is_whole { self.folder.to_owned() } else { self.folder.join(&relative) };
        if folder.is_dir() {
            return Ok(folder);
        }
        let shown = relative.display();
        let what = if folder.is_file() {
            format!("{shown} is a file; unpack it, and name the folder of the code")
        } else {
            format!("there is no folder {shown} for the code{}", perhaps_beside(&folder))
        };
        self.notes.error(&source.said.spot, what);
        Err(Noted)
    }
}

/// `below` seen from `from`, without `.` and with `..` taken together where that is possible.
pub(crate) fn joined(from: &Path, below: &str) -> PathBuf {
    let mut joined = PathBuf::new();
    for part in from.join(below.replace('\\', "/")).components() {
        let last = joined.components().next_back();
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(last, Some(Component::Normal(_))) => {
                joined.pop();
            }
            part => joined.push(part),
        }
    }
    joined
}

/// The folder beside it that may be meant.
fn perhaps_beside(folder: &Path) -> String {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let parent = folder.parent().and_then(|parent| parent.read_dir().ok());
    let folders = parent.into_iter().flatten().flatten().take(1000);
    let folders = folders.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let names: Vec<_> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let near = nearest(name, names.iter().map(String::as_str));
    near.map(|near| format!("; perhaps {near} is meant")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::joined;

    #[test]
    fn paths_are_taken_together() {
        for (from, below, expected) in [
            ("", "./", ""),
            ("a", "./src/", "a/src"),
            ("a", "../b", "b"),
            ("", "../b", "../b"),
            ("a", ".\\src", "a/src"),
            ("a/b", "../../../c", "../c"),
        ] {
            assert_eq!(joined(Path::new(from), below), Path::new(expected), "{from} {below}");
        }
    }
}
