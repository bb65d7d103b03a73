//! The worker's clock, corrected to the clock of the coordination backend, so that all workers agree
//! on what is due.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// This machine's clock, corrected by each claim. Clones share the correction.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    machine: fn() -> DateTime<Utc>,
    /// How far the coordination state's clock is ahead, in milliseconds.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that is not corrected yet.
    pub(crate) fn new(machine: fn() -> DateTime<Utc>) -> Self {
        Self {
            machine,
            ahead: Arc::default(),
        }
    }

    /// Corrects this clock by the present time of the coordination state.
    pub(crate) fn set(&self, now: DateTime<Utc>) {
        self.ahead
            .store((now - (self.machine)()).num_milliseconds(), Relaxed);
    }

    /// Returns the time in whole milliseconds.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.machine)().trunc_subsecs(3) + TimeDelta::milliseconds(self.ahead.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_clock_that_it_was_set_by() {
        let clock = Clock::new(|| Utc::now() + TimeDelta::hours(5));
        for ahead in [-3, 0, 7] {
            let shared = Utc::now() + TimeDelta::hours(ahead);
            clock.set(shared);
            assert!((clock.clone().now() - shared).num_milliseconds().abs() < 1000);
        }
    }
}
