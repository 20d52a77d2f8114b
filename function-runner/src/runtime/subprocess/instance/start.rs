//! The start of an instance: until its child asks for events, and why a child does not start.

use std::{sync::Arc, time::Duration};

use shared::invocation::InvocationFault;
use tokio::{task::spawn_blocking, time::timeout};

use super::{Instance, Started};
use crate::{invocation::Fault, runtime::subprocess::pool::Pool};

/// How long the files of a program that did not start may take to be looked at.
const FLAW_TIMEOUT: Duration = Duration::from_secs(2);

impl Instance {
    /// Waits until the child is ready for events.
    pub(super) async fn started(&mut self, mut outcome: Started) -> Result<(), Fault> {
        let limit = self.pool.limits.init_timeout;
        let stop = self.pool.stop.clone();
        let what = async {
            tokio::select! {
                biased;
                outcome = timeout(limit, &mut outcome) => match outcome {
                    Ok(outcome) => outcome.unwrap_or_else(|_| Err(Fault::draining())),
                    Err(_) => Err(slow(limit)),
                },
                () = stop.cancelled() => Err(Fault::draining()),
            }
        };
        match self.watch(what).await {
            Ok(outcome) => outcome,
            Err(fault) if fault.kind == InvocationFault::ProcessExited => {
                self.exchange.taken().await;
                // It said why before it ended.
                if let Ok(outcome) = outcome.try_recv() {
                    return outcome;
                }
                let message = format!("could not start: {}", fault.message());
                let message = with_flaw(&self.pool, message).await;
                let trace = self.output.tail();
                Err(Fault::new(InvocationFault::LoadFailed, message).with_trace(trace))
            }
            Err(fault) => Err(fault),
        }
    }
}

/// `message`, and why the program cannot be executed, if that is known.
pub(super) async fn with_flaw(pool: &Arc<Pool>, message: String) -> String {
    let pool = Arc::clone(pool);
    // Blocking: reads files, which may be on a network.
    let flaw = timeout(FLAW_TIMEOUT, spawn_blocking(move || pool.program.flaw())).await;
    match flaw {
        Ok(Ok(Some(flaw))) => format!("{message} ({flaw})"),
        Ok(Ok(None) | Err(_)) | Err(_) => message,
    }
}

fn slow(limit: Duration) -> Fault {
    let seconds = limit.as_secs_f64();
    let message = format!("start-up took longer than {seconds} seconds");
    Fault::new(InvocationFault::StartTimedOut, message)
}
