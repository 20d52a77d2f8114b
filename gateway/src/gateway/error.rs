//! Why the gateway could not start, run or end.

use std::error::Error;

use daemon::{listen::ListenError, settings::SettingsError};

use crate::cleanup::journal::JournalOpenError;

/// The gateway could not start, run or end as it should.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// What the settings name cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// An address could not be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The journal of the cleanups that are owed could not be opened.
    #[error(transparent)]
    Journal(#[from] JournalOpenError),
    /// The HTTP client for calling functions could not be made.
    #[error("could not set up the HTTP client")]
    Client(#[from] reqwest::Error),
    /// The drain timeout passed.
    #[error(
        "drain timed out with {connections} connections and {cleanups} cleanups left: messages \
         of theirs may be lost, and without a journal the cleanups that they owed"
    )]
    DrainTimedOut {
        /// Connections that had not ended.
        connections: usize,
        /// Cleanups that had not been delivered, those of these connections among them.
        cleanups: u64,
    },
}

impl GatewayError {
    /// Whether `error` says that the settings have to be changed.
    pub fn is_of_settings(error: &(dyn Error + 'static)) -> bool {
        matches!(error.downcast_ref(), Some(Self::Settings(_)))
    }
}
