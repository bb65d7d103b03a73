//! Something that other parts depend on is away: how long to wait before the next attempt, and what to log of it.

use std::time::{Duration, Instant};

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(1);

/// Whether `what` is away at present. Logs one line when it goes and one when it returns.
#[derive(Debug)]
pub(crate) struct Outage {
    what: &'static str,
    since: Option<Instant>,
    wait: Duration,
}

impl Outage {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self {
            what,
            since: None,
            wait: Duration::ZERO,
        }
    }

    /// Notes a failed attempt, and says how long to wait before the next.
    pub(crate) fn failed(&mut self, error: &dyn std::fmt::Display) -> Duration {
        if self.since.is_none() {
            tracing::warn!(%error, "{} failed; trying again until it works", self.what);
            self.since = Some(Instant::now());
        }
        self.wait = (self.wait * 2).clamp(Duration::from_millis(50), LONGEST);
        self.wait
    }

    /// Notes an attempt that worked.
    pub(crate) fn worked(&mut self) {
        if let Some(since) = self.since.take() {
            let seconds = since.elapsed().as_secs_f32();
            tracing::info!(seconds, "{} works again", self.what);
            self.wait = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_second_and_begin_anew_after_success() {
        let mut outage = Outage::new("Testing");
        let waits: Vec<_> = (0..7).map(|_| outage.failed(&"gone").as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1000, 1000]);
        outage.worked();
        assert_eq!(outage.failed(&"gone").as_millis(), 50);
    }
}
