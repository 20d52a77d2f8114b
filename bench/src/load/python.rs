//! Echo by a function in Python: client, gateway, runner, function, push, client. The function's
//! processes are started before the measurement.

use clap::Args;

use super::echo;
use crate::{
    figures::Figures,
    period::Lengths,
    target::{
        Target,
        running::{RunningTarget, Scenario},
    },
};

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Bytes of each message
    #[arg(long, default_value_t = 128)]
    bytes: usize,
    #[command(flatten)]
    lengths: Lengths,
}

impl Settings {
    pub(super) fn describe(&self) -> String {
        self.echo().describe()
    }

    fn echo(&self) -> echo::Settings {
        let Self { connections, bytes, lengths } = *self;
        echo::Settings { connections, window: 1, bytes, idle: 0, lengths }
    }
}

pub(super) async fn measure(
    settings: &Settings,
    target: &Target,
    running: &RunningTarget,
) -> anyhow::Result<Figures> {
    echo::measure(&settings.echo(), Scenario::Python, target, running).await
}
