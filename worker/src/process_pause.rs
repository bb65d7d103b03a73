//! Notices when this process did not run: it was stopped, its machine was suspended or moved, or no
//! processor was free. What a check measured meanwhile says nothing about its target.

use rustix::time::{ClockId, clock_gettime};
use std::io;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How often the process notes that it runs.
const TICK_INTERVAL: Duration = Duration::from_millis(250);

/// A process that has not ticked for this long did not run. Less would count a busy machine, on which
/// single checks are late by tens of milliseconds.
const MIN_GAP: Duration = Duration::from_millis(1000);

/// The detector of this process. Its thread never ends.
static DETECTOR: LazyLock<io::Result<PauseDetector>> = LazyLock::new(|| {
    let started = std::thread::Builder::new()
        .name("process-pause".into())
        .spawn(tick_for_ever);
    started.map(|_| PauseDetector::at(now_ms()))
});

/// Knows when this process last ran, and when it last went on after a pause. Times are milliseconds
/// of a clock that goes on while the process is stopped and while the machine is suspended.
#[derive(Debug)]
pub(crate) struct PauseDetector {
    ticked_at: AtomicU64,
    resumed_at: AtomicU64,
}

impl PauseDetector {
    /// Returns the detector of this process. Starts it at the first call.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub(crate) fn shared() -> anyhow::Result<&'static Self> {
        DETECTOR.as_ref().map_err(|error| {
            anyhow::anyhow!("failed to start the thread that notices pauses: {error}")
        })
    }

    const fn at(now_ms: u64) -> Self {
        Self {
            ticked_at: AtomicU64::new(now_ms),
            resumed_at: AtomicU64::new(0),
        }
    }

    /// Returns the time at which something begins, for [`paused_since`](Self::paused_since).
    pub(crate) fn now(&self) -> u64 {
        now_ms()
    }

    /// Returns whether the process was paused at some time since `began`.
    pub(crate) fn paused_since(&self, began: u64) -> bool {
        self.paused_between(began, now_ms())
    }

    /// The thread that ticks may run later than the one that asks, so an overdue tick counts too.
    fn paused_between(&self, began: u64, now: u64) -> bool {
        self.resumed_at.load(Relaxed) > began || gap(self.ticked_at.load(Relaxed), now).is_some()
    }

    /// Notes that the process runs. Returns for how long it did not.
    fn tick(&self, now: u64) -> Option<Duration> {
        let gap = gap(self.ticked_at.swap(now, Relaxed), now);
        if gap.is_some() {
            self.resumed_at.store(now, Relaxed);
        }
        gap
    }
}

fn gap(ticked_at: u64, now: u64) -> Option<Duration> {
    let gap = Duration::from_millis(now.saturating_sub(ticked_at));
    (gap >= TICK_INTERVAL + MIN_GAP).then_some(gap)
}

fn tick_for_ever() {
    loop {
        std::thread::sleep(TICK_INTERVAL);
        let Ok(detector) = DETECTOR.as_ref() else {
            return;
        };
        if let Some(gap) = detector.tick(now_ms()) {
            let milliseconds = gap.as_millis();
            tracing::warn!(
                milliseconds,
                "PulseCheck itself did not run for a while: checks that were under way are made again"
            );
        }
    }
}

/// Time since the machine was started, suspension included.
fn now_ms() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let milliseconds = time.tv_sec * 1000 + time.tv_nsec / 1_000_000;
    u64::try_from(milliseconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_interrupted_by_a_pause_within_it_and_by_no_other() {
        let detector = PauseDetector::at(0);
        for now in [250, 500, 760, 1_500] {
            assert_eq!(detector.tick(now), None, "{now}");
        }
        assert!(!detector.paused_between(1_400, 1_600), "nothing happened");
        assert_eq!(detector.tick(14_000), Some(Duration::from_millis(12_500)));
        for (began, interrupted) in [(1_400, true), (13_999, true), (14_000, false)] {
            assert_eq!(
                detector.paused_between(began, 14_100),
                interrupted,
                "{began}"
            );
        }
        assert_eq!(detector.tick(14_250), None);
        assert!(
            detector.paused_between(1_400, 14_300),
            "long after the pause"
        );
    }

    #[test]
    fn a_pause_counts_before_the_thread_that_ticks_runs_again() {
        let detector = PauseDetector::at(1_000);
        assert!(!detector.paused_between(900, 2_200), "a busy machine");
        assert!(detector.paused_between(900, 2_250));
    }

    #[test]
    fn the_clock_moves_forward() {
        let (earlier, later) = (now_ms(), now_ms());
        assert!(earlier > 0 && later >= earlier, "{earlier} {later}");
    }
}
