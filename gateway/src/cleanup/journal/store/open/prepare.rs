//! Makes what a file lacks that is new, or was written by an earlier version.

use rusqlite::Connection;

use super::{Opening, failure::PrepareError};
use crate::{
    cleanup::journal::{
        marker::{Found, Mark, Marker, Stage, boot},
        store::{
            checks,
            evidence::{self, State, count},
            schema,
        },
    },
    settings::JournalSync,
};

impl Opening<'_> {
    /// What the marker claims, with the settings of this process.
    pub(super) fn mark_before(&self, found: &Found) -> Mark {
        let survives_power = self.settings.sync == JournalSync::Power;
        let version = schema::VERSION;
        match found.mark() {
            Some(mark) => Mark { version, survives_power, ..mark.clone() },
            None => Mark {
                stage: Stage::Making,
                version,
                identity: 0,
                sequence: 0,
                written: 0,
                owed: 0,
                survives_power,
                boot: boot(),
            },
        }
    }

    /// Makes the marker and the tables that are missing. Writes nothing if none is: the disk may be
    /// full.
    pub(super) fn prepare(
        &self,
        connection: &Connection,
        version: i64,
        before: &Mark,
        state: Option<State>,
    ) -> Result<(Marker, State), PrepareError> {
        let path = &self.files.marker;
        if let Some(state) = state {
            if !schema::is_current(connection, version)? {
                make_tables(connection, version)?;
            }
            return Ok((Marker::open(path)?, state));
        }
        // The marker says first that the tables are being made, so that a process that dies in
        // between leaves no journal that looks damaged.
        let marker = Marker::make(path, &Mark { stage: Stage::Making, ..before.clone() })?;
        make_tables(connection, version)?;
        // So that the main file alone, without its log, is not taken for a new journal.
        connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
        let state = State::read(connection)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let State { identity, sequence, written } = state;
        let (stage, owed) = (Stage::Begun, count(connection)?);
        marker.write(&Mark { stage, identity, sequence, written, owed, ..before.clone() })?;
        marker.sync()?;
        Ok((marker, state))
    }
}

/// New columns change the checksums of old rows, whose checksums were compared before.
fn make_tables(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    schema::make_tables(&transaction, version)?;
    transaction.execute_batch(evidence::SCHEMA)?;
    checks::make_tables(&transaction)?;
    checks::rebuild(&transaction)?;
    transaction.commit()
}
