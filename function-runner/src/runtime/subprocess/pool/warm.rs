//! Keeping as many instances warm as the settings ask for, whether there is work or not.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::Pool;

impl Pool {
    /// From now until the stop.
    pub(in crate::runtime::subprocess) fn keep_warm(self: &Arc<Self>) {
        if self.limits.min_instances > 0 {
            let pool = Arc::clone(self);
            self.tasks.spawn(async move {
                tokio::select! {
                    () = pool.warm() => {}
                    () = pool.stop.cancelled() => {}
                }
            });
        }
    }

    async fn warm(self: &Arc<Self>) {
        loop {
            let pause = self.state().backoff.pause(Instant::now());
            if let Some((until, _)) = pause {
                sleep_until(until).await;
            }
            let count = self.state().count;
            let is_wanted = count < self.limits.min_instances && !self.would_mix(count);
            // Without a free permit all instances live and are busy.
            match is_wanted.then(|| self.queue.free_permit()).flatten() {
                // A failure is logged where it is counted.
                Some(permit) => drop(self.add(permit).await),
                None => self.ended.notified().await,
            }
        }
    }
}
