//! Opens the journal's file, once it has been compared with its marker.
//!
//! A journal that cannot be used is left as it is: nothing is written before the comparison.

mod connect;
mod failure;
mod prepare;

use std::time::SystemTime;

use rusqlite::{Connection, config::DbConfig};
use tracing::{error, info, warn};

use self::{connect::set_up, failure::PrepareError};
use super::{
    Store, checks,
    evidence::{Evidence, State, count},
    files::{Files, make_folder},
    schema::{self, VERSION},
    verify::{Verdict, verify},
};
use crate::{
    cleanup::journal::{
        error::{Damage, JournalOpenError},
        marker::{Found, Mark, Marker, Stage},
    },
    settings::{JournalSettings, JournalSync},
};

impl Store {
    pub(in crate::cleanup::journal) fn open(
        settings: &JournalSettings,
    ) -> Result<Self, JournalOpenError> {
        match settings.sync {
            JournalSync::Off => Self::in_memory(settings),
            JournalSync::Process | JournalSync::Power => Opening::of(settings).open(),
        }
    }

    fn in_memory(settings: &JournalSettings) -> Result<Self, JournalOpenError> {
        let unusable = |error| JournalOpenError::Unusable(settings.dir.clone(), error);
        let connection = Connection::open_in_memory().map_err(unusable)?;
        schema::make_tables(&connection, 0).map_err(unusable)?;
        Ok(Self::new(connection, None, 0))
    }

    fn new(connection: Connection, evidence: Option<Evidence>, last_key: i64) -> Self {
        let opened_at = SystemTime::now();
        Self { connection, evidence, last_key, opened_at, has_taken_stock: false }
    }
}

/// A journal on disk that is being opened.
struct Opening<'a> {
    settings: &'a JournalSettings,
    files: Files,
}

impl<'a> Opening<'a> {
    fn of(settings: &'a JournalSettings) -> Self {
        Self { settings, files: Files::within(&settings.dir) }
    }

    fn open(&self) -> Result<Store, JournalOpenError> {
        make_folder(&self.settings.dir)?;
        self.refuse_lost_main()?;
        let main = &self.files.main;
        let connection =
            Connection::open(main).map_err(|error| self.failed(error, &Found::Nothing))?;
        let version = set_up(&connection, self.settings.sync);
        // The lock is held from here on, so nobody writes the marker.
        let found = Marker::read(&self.files.marker).map_err(|error| self.io(error))?;
        let failed = |error| self.failed(error, &found);
        let version = version.map_err(failed)?;
        if version > VERSION && found.mark().is_none_or(|mark| mark.version == version) {
            return Err(JournalOpenError::TooNew(main.clone()));
        }
        let verdict = verify(&connection, version, &found).map_err(failed)?;
        let state = self.judge(verdict, version, &found)?;
        let opened = self.take_over(&connection, version, &found, state);
        let (evidence, last_key) = opened.map_err(|error| match error {
            PrepareError::Io(error) => self.io(error),
            PrepareError::Sql(error) => failed(error),
        })?;
        Ok(Store::new(connection, Some(evidence), last_key))
    }

    /// Without its main file a journal is new only if nothing else says that there was one.
    fn refuse_lost_main(&self) -> Result<(), JournalOpenError> {
        if !self.files.has_no_main() {
            return Ok(());
        }
        let found = Marker::read(&self.files.marker).map_err(|error| self.io(error))?;
        let was_there = match &found {
            Found::Nothing => false,
            Found::Unreadable => true,
            Found::Mark(mark) => mark.stage != Stage::Making,
        };
        if was_there || self.files.has_log() {
            return Err(self.damaged(Damage::FileGone, found.loss_of_all()));
        }
        Ok(())
    }

    /// Refuses a damaged file. Of another one, returns the state, if it has one.
    fn judge(
        &self,
        verdict: Verdict,
        version: i64,
        found: &Found,
    ) -> Result<Option<State>, JournalOpenError> {
        let main = self.files.main.display();
        match verdict {
            Verdict::Damaged(damage, loss) => Err(self.damaged(damage, loss)),
            Verdict::New => {
                if version == 0 {
                    info!("a new journal was begun: {main}");
                }
                Ok(None)
            }
            Verdict::EndLost(state, missing) => {
                error!(
                    missing,
                    "the machine was restarted, and journal.sync is not \"power\": up to {missing} \
                     owed cleanups are missing in {main}"
                );
                Ok(state)
            }
            Verdict::Whole(state) => {
                let is_cut_off =
                    |mark: &Mark| mark.stage == Stage::Begun && mark.may_lose_its_end();
                if found.mark().is_some_and(is_cut_off) {
                    warn!(
                        "the machine was restarted while the gateway ran, and journal.sync is not \
                         \"power\": cleanups of the last seconds may be missing in {main}"
                    );
                }
                Ok(Some(state))
            }
        }
    }

    /// Makes the file one of this process. Returns its evidence and its largest key.
    fn take_over(
        &self,
        connection: &Connection,
        version: i64,
        found: &Found,
        state: Option<State>,
    ) -> Result<(Evidence, i64), PrepareError> {
        let before = self.mark_before(found);
        let (marker, state) = self.prepare(connection, version, &before, state)?;
        checks::add_triggers(connection)?;
        // Until now closing the file would have changed it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        let Files { main, log, marker: path } = &self.files;
        let files = [main, log, path].map(|path| path.as_path());
        let evidence = Evidence::new(marker, state, count(connection)?, &before, &files)?;
        let text = "select coalesce(max(key), 0) from owed";
        Ok((evidence, connection.query_row(text, [], |row| row.get(0))?))
    }
}
