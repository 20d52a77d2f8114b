//! The command `journal` of each program that runs a gateway.

use clap::Subcommand;

use crate::{
    cleanup::journal::{JournalOpenError, accept_loss},
    settings::Settings,
};

/// What an operator can do with the journal while no gateway uses it.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum JournalCommand {
    /// Makes a damaged journal anew from what can be read of it, and keeps the damaged files
    /// beside. The gateway starts then. Without damage nothing changes
    AcceptLoss,
}

impl JournalCommand {
    /// Carries out the command, and prints what has become of the journal.
    #[expect(clippy::print_stdout, reason = "the operator asked for it")]
    pub fn run(self, settings: &Settings) -> Result<(), JournalOpenError> {
        match self {
            Self::AcceptLoss => println!("{}", accept_loss(&settings.journal)?),
        }
        Ok(())
    }
}
