//! An estimate of Redis's time, to give commands a deadline by Redis's own clock.

use std::sync::Mutex;
use std::time::Instant;

/// Estimates Redis's time from its last answer. Never runs ahead of it, because an answer takes
/// time to arrive; lags behind if Redis's clock was set forward since.
#[derive(Debug, Default)]
pub(super) struct ClockEstimate {
    last: Mutex<Option<(Instant, i64)>>,
}

impl ClockEstimate {
    /// Notes that an answer that arrived just now gave the time as `now_ms`.
    pub(super) fn set(&self, now_ms: i64) {
        *self.lock() = Some((Instant::now(), now_ms));
    }

    /// Returns the estimate in milliseconds; `None` before the first answer.
    pub(super) fn now_ms(&self) -> Option<i64> {
        let (received, now_ms) = (*self.lock())?;
        let elapsed = i64::try_from(received.elapsed().as_millis()).unwrap_or(i64::MAX);
        Some(now_ms.saturating_add(elapsed))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, i64)>> {
        self.last
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}
