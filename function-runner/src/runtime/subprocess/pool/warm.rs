//! Keeping as many instances warm as the settings ask for, whether there is work or not.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until, timeout};

use super::Pool;
use crate::runtime::subprocess::lease::Lease;

/// How often the code is looked at while none of it can be started.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

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
            if self.has_to_make_do().await {
                // Or until the code is as it was.
                let _ = timeout(LOOK_INTERVAL, self.ended.notified()).await;
                continue;
            }
            let count = self.state().count;
            // Without a free place all instances are there, and work.
            let place = (count < self.limits.min_instances).then(|| self.queue.free_place());
            match place.flatten() {
                // A failure is logged where it is counted.
                Some(place) => match self.start(place, None).await {
                    Ok(held) => drop(Lease::new(Arc::clone(self), held)),
                    Err(_) => continue,
                },
                None => self.ended.notified().await,
            }
        }
    }
}
