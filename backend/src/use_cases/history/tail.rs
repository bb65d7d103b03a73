//! The unrolled tail: the checks that the rollups do not hold yet.

use chrono::{DateTime, Utc};
use domain::uptime::{Sample, Tally, tally};

/// The checks of one service after its last rollup, with the last check in it: how long that one
/// counts is known only from the next.
#[derive(Debug, Clone, Default)]
pub(super) struct UnrolledChecks(Vec<Sample>);

impl UnrolledChecks {
    pub(super) fn push(&mut self, check: Sample) {
        self.0.push(check);
    }

    /// Call when all checks are there. Drops those after `now`: they were made by a clock that has
    /// been set back since.
    pub(super) fn finish(&mut self, now: DateTime<Utc>) {
        self.0.retain(|check| check.slot <= now);
        self.0.sort_unstable_by_key(|check| check.slot);
    }

    /// Returns up to when the rollups hold everything; `None` for a service without checks.
    pub(super) fn start(&self) -> Option<DateTime<Utc>> {
        self.0.first().map(|check| check.slot)
    }

    pub(super) fn tally(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Tally {
        if self.start().is_none_or(|start| start >= to) {
            return Tally::default();
        }
        tally(self.0.iter().copied(), from, to, now)
    }
}
