//! A key that settings have, as documents describe it.

/// One key of a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The table that the key is in, as the file names it: `[listen]`, `[[api]]` or
    /// `[functions.<name>]`. Empty for a key outside of all tables.
    pub table: String,
    /// The key; `<key>` in a table whose keys are the user's own.
    pub name: String,
    /// The values that the key takes, such as `a whole number from 1 to 100`.
    pub values: String,
    /// The value of a key that is not set, as a file would have it; or in words, such as
    /// `required` or `none`.
    pub default: String,
}

impl Key {
    /// `path` is that of the table: `api[]` for an element of a list of tables.
    pub(super) fn new(path: &str, name: &str, values: &str, default: &str) -> Self {
        // As a file names it: it does not say again that a table around it is one of a list.
        let named = path.replace("[].", ".");
        let table = match named.strip_suffix("[]") {
            Some(list) => format!("[[{list}]]"),
            None if named.is_empty() => String::new(),
            None => format!("[{named}]"),
        };
        let [name, values, default] = [name, values, default].map(str::to_owned);
        Self { table, name, values, default }
    }
}
