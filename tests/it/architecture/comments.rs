//! The width of comments, which rustfmt leaves as they are.

use std::{fs, path::Path};

use super::{FOLDERS, rust_files};

/// `max_width` of rustfmt.toml.
const COLUMNS_MAX: usize = 100;
#[test]
fn no_comment_is_wider_than_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut comments = 0;
    let mut too_wide = Vec::new();
    for file in FOLDERS.iter().flat_map(|folder| rust_files(&root.join(folder))) {
        for (number, line) in (1..).zip(fs::read_to_string(&file).unwrap().lines()) {
            let is_comment = line.trim_start().starts_with("//");
            comments += usize::from(is_comment);
            if is_comment && line.chars().count() > COLUMNS_MAX {
                too_wide.push(format!("{}:{number}", file.display()));
            }
        }
    }
    assert!(comments > 0, "no comment was read");
    assert!(too_wide.is_empty(), "wider than {COLUMNS_MAX} columns: {too_wide:#?}");
}
