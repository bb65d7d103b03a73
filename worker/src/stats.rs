//! What the worker counts about itself. Plain atomics: whoever exports them reads them when asked, and nothing waits; only
//! the histogram for the ledger has a lock, which is held for the moment of a count.

use crate::metrics;
use domain::LatencyHistogram;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the lateness buckets, in milliseconds; one more bucket holds what is beyond the last.
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
    /// Results that were not recorded because a later one was, or the service had changed, was paused or is gone.
    pub discarded: AtomicU64,
    /// Results lost because the database refused them or was away for too long.
    pub lost: AtomicU64,
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
    /// Checks by how late they began, confirmations left out: see [`LATENESS_BOUNDS_MS`]. Late since their slot; those
    /// that this worker had put off for their host's sake, since they were due at first.
    pub lateness: [AtomicU64; LATENESS_BOUNDS_MS.len() + 1],
    /// The sum of that lateness, in milliseconds.
    pub lateness_ms: AtomicU64,
    /// Slots at which a service was due and nobody checked it. Of followed pages none is: they are asked when they may be.
    pub missed: AtomicU64,
    /// Whether results cannot be recorded at present; nothing is claimed meanwhile.
    pub unable: AtomicBool,
    /// Lateness since the ledger was written last.
    lately: Mutex<Lateness>,
    /// Turns of the scheduler's loop; it stands still when the scheduler does.
    pub turns: AtomicU64,
    /// What following vendor pages did.
    pub pages: PageStats,
}

/// How late checks began.
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

/// What following vendor pages did since the worker's start.
#[derive(Debug, Default)]
pub struct PageStats {
    /// Pages that were due and looked at, whether they were asked or not.
    pub polls: AtomicU64,
    /// Requests that were sent: one for each address of a page that was asked.
    pub requests: AtomicU64,
    /// Fetches that brought something to read. Each fetch of a page is counted here or in one of the next four.
    pub read: AtomicU64,
    /// Fetches that were answered by 304 throughout.
    pub unchanged: AtomicU64,
    /// Fetches that failed because nothing came, or because the server said that it is in trouble.
    pub unreachable: AtomicU64,
    /// Fetches that failed because the server said that it is asked too often.
    pub limited: AtomicU64,
    /// Fetches that failed because what came is not what the page says.
    pub unreadable: AtomicU64,
    /// Times that a page was looked for anew because its vendor may have moved.
    pub detections: AtomicU64,
}

impl Stats {
    pub(crate) fn note_lateness(&self, late: Duration) {
        let ms = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
        let bucket = LATENESS_BOUNDS_MS.partition_point(|bound| *bound < ms);
        add(&self.lateness[bucket], 1);
        self.lateness_ms.fetch_add(ms, Relaxed);
        metrics::began(late);
        let ms = u32::try_from(ms).unwrap_or(u32::MAX);
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        lately.histogram.record(ms);
        lately.max_ms = lately.max_ms.max(ms);
    }

    /// Lateness since this was called last.
    pub(crate) fn take_lateness(&self) -> Lateness {
        std::mem::take(&mut *self.lately.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The lateness in milliseconds that a share `quantile` of the checks did not exceed, as the bound of its bucket;
    /// `None` before the first check, [`u64::MAX`] beyond the last bound.
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
}

pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_told_by_the_bound_that_a_share_stays_within() {
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
