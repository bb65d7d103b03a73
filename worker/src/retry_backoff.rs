//! Exponential backoff while a dependency is unavailable. Logs only the start and the end.

use std::time::{Duration, Instant};

const MIN_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// An operation that may fail for a while. Logs one line when it begins to fail and one when it
/// works again.
#[derive(Debug)]
pub(crate) struct RetryBackoff {
    operation: &'static str,
    since: Option<Instant>,
    backoff: Duration,
}

impl RetryBackoff {
    pub(crate) const fn new(operation: &'static str) -> Self {
        Self {
            operation,
            since: None,
            backoff: Duration::ZERO,
        }
    }

    /// Notes a failed attempt and returns how long to wait before the next one.
    pub(crate) fn begin(&mut self, error: &dyn std::fmt::Display) -> Duration {
        if self.since.is_none() {
            tracing::warn!(%error, "{} failed, retrying", self.operation);
            self.since = Some(Instant::now());
        }
        self.backoff = (self.backoff * 2).clamp(MIN_BACKOFF, MAX_BACKOFF);
        self.backoff
    }

    /// Notes a successful attempt.
    pub(crate) fn end(&mut self) {
        if let Some(since) = self.since.take() {
            let seconds = since.elapsed().as_secs_f32();
            tracing::info!(seconds, "{} works again", self.operation);
            self.backoff = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_second_and_begin_anew_after_success() {
        let mut outage = RetryBackoff::new("Testing");
        let waits: Vec<_> = (0..7).map(|_| outage.begin(&"gone").as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1000, 1000]);
        outage.end();
        assert_eq!(outage.begin(&"gone").as_millis(), 50);
    }
}
