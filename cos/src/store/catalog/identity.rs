//! Which catalog this is, where its contents are, and in which epoch its bucket is.

use std::collections::HashSet;

use rusqlite::{Params, params};

use super::Catalog;

/// What a catalog says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Identity {
    /// A text that no other catalog has. Copies of this one have it.
    pub(in crate::store) id: String,
    /// Where the contents are. None if a version before 3 wrote the catalog last.
    pub(in crate::store) place: Option<String>,
    /// The epoch that the bucket had, and the one that it was then given. Both are empty if it
    /// never was in a bucket.
    pub(in crate::store) epochs: [String; 2],
}

impl Catalog {
    pub(in crate::store) fn identity(&self) -> rusqlite::Result<Identity> {
        let text = "select id, place, epoch, next_epoch from identity";
        self.0.query_row(text, [], |row| {
            let epochs = [row.get(2)?, row.get(3)?];
            Ok(Identity { id: row.get(0)?, place: row.get(1)?, epochs })
        })
    }

    /// Whether an object or an upload has a content that is not empty.
    pub(in crate::store) fn has_contents(&self) -> rusqlite::Result<bool> {
        let text = "select exists (select 1 from segments)
                        or exists (select 1 from parts where file is not null)";
        self.0.query_row(text, [], |row| row.get(0))
    }

    pub(in crate::store) fn set_place(&mut self, place: &str) -> rusqlite::Result<()> {
        self.0.execute("update identity set place = ?1", [place]).map(drop)
    }

    /// The bucket has the epoch `current`, and is given `next` after this.
    pub(in crate::store) fn set_epochs(
        &mut self,
        current: &str,
        next: &str,
    ) -> rusqlite::Result<()> {
        let text = "update identity set epoch = ?1, next_epoch = ?2";
        self.durably(text, params![current, next])
    }

    /// Changes something that a loss of power must not undo, whatever `store.sync` is: the bucket
    /// would know an epoch that the catalog does not.
    fn durably(&mut self, text: &str, parameters: impl Params) -> rusqlite::Result<()> {
        let usual: i64 = self.0.query_row("pragma synchronous", [], |row| row.get(0))?;
        self.0.pragma_update(None, "synchronous", "full")?;
        let changed = self.0.execute(text, parameters);
        self.0.pragma_update(None, "synchronous", usual)?;
        changed.map(drop)
    }

    /// These files are in the bucket, and this catalog has never named them: they are kept.
    pub(in crate::store) fn add_strangers(&mut self, files: &[String]) -> rusqlite::Result<()> {
        let transaction = self.0.transaction()?;
        for file in files {
            transaction
                .prepare_cached("insert or ignore into strangers (file) values (?1)")?
                .execute([file])?;
        }
        transaction.commit()
    }

    /// Those whose names begin with `first`, two digits.
    pub(in crate::store) fn strangers_in(&self, first: &str) -> rusqlite::Result<HashSet<String>> {
        let text = "select file from strangers where file >= ?1 and file < ?1 || 'g'";
        let mut statement = self.0.prepare_cached(text)?;
        statement.query_map([first], |row| row.get(0))?.collect()
    }
}
