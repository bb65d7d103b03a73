//! Counters of the worker. Plain atomics that are read when they are exported; only the lateness
//! histogram for `scheduler_minutes` has a lock, held for the moment of a count.

use crate::metrics;
use domain::LatencyHistogram;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the lateness buckets, in milliseconds; one more bucket holds what is above the last.
pub const LATENESS_BOUNDS_MS: [u64; 14] = [
    1, 2, 5, 10, 20, 35, 50, 75, 100, 250, 500, 1000, 5000, 30_000,
];

/// Counters since the worker's start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Checks begun, confirmations included.
    pub started: AtomicU64,
    /// Checks that are durably recorded.
    pub recorded: AtomicU64,
    /// Results that were not recorded because a later one was, or because the service was changed,
    /// paused or deleted.
    pub discarded: AtomicU64,
    /// Results lost because the database refused them or was away for too long.
    pub lost: AtomicU64,
    /// Checks that are made again because this process did not run during them.
    pub interrupted: AtomicU64,
    /// Probes that panicked.
    pub panics: AtomicU64,
    /// Claims given back because their host had enough checks running.
    pub deferred: AtomicU64,
    /// Transactions of the recorder.
    pub batches: AtomicU64,
    /// Time spent in them, in microseconds.
    pub batch_micros: AtomicU64,
    /// Failed attempts to commit a batch.
    pub failed_batches: AtomicU64,
    /// Checks by how late after their slot they began, without confirmations: see
    /// [`LATENESS_BOUNDS_MS`]. For checks that were deferred because of their host: since they first
    /// became due.
    pub lateness: [AtomicU64; LATENESS_BOUNDS_MS.len() + 1],
    /// The sum of that lateness, in milliseconds.
    pub lateness_ms: AtomicU64,
    /// Slots at which a probed service was due and not checked. Followers of vendor pages have no slots.
    pub missed: AtomicU64,
    /// Whether results cannot be recorded at present; nothing is claimed meanwhile.
    pub unable: AtomicBool,
    /// Lateness since the last row of `scheduler_minutes`.
    recent_lateness: Mutex<Lateness>,
    /// Iterations of the scheduler's loop; does not grow while the scheduler hangs.
    pub turns: AtomicU64,
    /// Counters of vendor pages.
    pub pages: PageStats,
}

/// Lateness of the checks of some time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Lateness {
    pub(crate) histogram: LatencyHistogram,
    pub(crate) max_ms: u32,
}

impl Lateness {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.histogram.merge(&other.histogram);
        self.max_ms = self.max_ms.max(other.max_ms);
    }
}

/// Counters of vendor pages since the worker's start.
#[derive(Debug, Default)]
pub struct PageStats {
    /// Pages that were due and polled, whether they were fetched or not.
    pub polls: AtomicU64,
    /// Requests that were sent: one for each address of a fetched page.
    pub requests: AtomicU64,
    /// Fetches that returned content. Each fetch of a page is counted here or in one of the next four.
    pub read: AtomicU64,
    /// Fetches for which every address answered 304.
    pub unchanged: AtomicU64,
    /// Fetches that failed without an answer, or with a server error.
    pub unreachable: AtomicU64,
    /// Fetches that failed because the server limits requests.
    pub limited: AtomicU64,
    /// Fetches that failed because the answer is not a readable page.
    pub unreadable: AtomicU64,
    /// Rediscoveries of pages whose vendor may have moved.
    pub detections: AtomicU64,
}

impl Stats {
    pub(crate) fn note_lateness(&self, late: Duration) {
        let ms = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
        let bucket = LATENESS_BOUNDS_MS.partition_point(|bound| *bound < ms);
        add(&self.lateness[bucket], 1);
        self.lateness_ms.fetch_add(ms, Relaxed);
        metrics::record_lateness(late);
        let ms = u32::try_from(ms).unwrap_or(u32::MAX);
        let mut recent = self
            .recent_lateness
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        recent.histogram.record(ms);
        recent.max_ms = recent.max_ms.max(ms);
    }

    /// Takes the lateness since the last call.
    pub(crate) fn take_lateness(&self) -> Lateness {
        std::mem::take(
            &mut *self
                .recent_lateness
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Returns the lateness in milliseconds that a share `quantile` of the checks did not exceed, as
    /// the bound of its bucket: `None` before the first check, [`u64::MAX`] above the last bound.
    #[must_use]
    pub fn lateness_quantile(&self, quantile: f64) -> Option<u64> {
        let counts: Vec<u64> = self
            .lateness
            .iter()
            .map(|count| count.load(Relaxed))
            .collect();
        let total: u64 = counts.iter().sum();
        let mut seen = 0;
        for (count, bound) in counts
            .into_iter()
            .zip(LATENESS_BOUNDS_MS.into_iter().chain([u64::MAX]))
        {
            seen += count;
            #[allow(clippy::cast_precision_loss, reason = "a share needs no more digits")]
            if total > 0 && seen as f64 >= quantile * total as f64 {
                return Some(bound);
            }
        }
        None
    }

    /// Brings the exported counters up to date. To be called before metrics are collected.
    pub fn publish(&self) {
        for (name, counter) in [
            (metrics::MISSED, &self.missed),
            (metrics::STARTED, &self.started),
            (metrics::DISCARDED, &self.discarded),
            (metrics::LOST, &self.lost),
            (metrics::INTERRUPTED, &self.interrupted),
            (metrics::PANICS, &self.panics),
            (metrics::DEFERRED, &self.deferred),
            (metrics::RECORD_FAILURES, &self.failed_batches),
        ] {
            ::metrics::counter!(name).absolute(counter.load(Relaxed));
        }
    }
}

/// Adds `n` to a counter.
pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_bound_of_its_bucket() {
        let stats = Stats::default();
        assert_eq!(stats.lateness_quantile(0.5), None);
        for ms in (0..99).map(|_| 3).chain([70_000]) {
            stats.note_lateness(Duration::from_millis(ms));
        }
        assert_eq!(stats.lateness_quantile(0.5), Some(5));
        assert_eq!(stats.lateness_quantile(0.99), Some(5));
        assert_eq!(stats.lateness_quantile(1.0), Some(u64::MAX));
    }
}
