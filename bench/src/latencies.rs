//! The latencies of a load: one histogram for all its connections.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use hdrhistogram::Histogram;

use crate::figures::Figures;

/// A handle; all clones share one histogram.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Arc<Mutex<Histogram<u64>>>);

impl Latencies {
    pub(crate) fn new() -> Self {
        let nanoseconds = Histogram::new(3).expect("3 digits are allowed");
        Self(Arc::new(Mutex::new(nanoseconds)))
    }

    pub(crate) fn record(&self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        // Recording cannot fail: the histogram resizes itself up to the largest u64.
        let _ = self.lock().record(nanoseconds);
    }

    pub(crate) fn count(&self) -> u64 {
        self.lock().len()
    }

    /// Adds the quantiles, in microseconds.
    pub(crate) fn add_to(&self, figures: &mut Figures) {
        let histogram = self.lock();
        let quantile = |q| histogram.value_at_quantile(q) as f64 / 1e3;
        figures.add("p50_us", quantile(0.5));
        figures.add("p90_us", quantile(0.9));
        figures.add("p99_us", quantile(0.99));
        figures.add("p999_us", quantile(0.999));
        figures.add("max_us", histogram.max() as f64 / 1e3);
    }

    fn lock(&self) -> MutexGuard<'_, Histogram<u64>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}
