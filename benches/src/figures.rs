//! Percentiles of measurements.

use std::time::Duration;

/// Sorted measurements.
pub(crate) struct Sorted<T>(Vec<T>);

impl<T: Copy + Ord> Sorted<T> {
    /// # Panics
    /// Panics without measurements.
    pub(crate) fn of(mut all: Vec<T>) -> Self {
        assert!(!all.is_empty(), "nothing was measured");
        all.sort_unstable();
        Self(all)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the quantile at `share` (0 to 1).
    pub(crate) fn at(&self, share: f64) -> T {
        self.0[((self.0.len() - 1) as f64 * share).round() as usize]
    }

    /// Returns median, 99th percentile and maximum.
    pub(crate) fn p50_p99_max(&self) -> [T; 3] {
        [self.at(0.5), self.at(0.99), self.at(1.0)]
    }
}

/// Converts to milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
