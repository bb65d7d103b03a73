//! Durations of leases and registrations as the backends store them.

use chrono::TimeDelta;
use std::time::Duration;

const YEAR_MS: i64 = 1000 * 60 * 60 * 24 * 365;

/// Cuts a duration to whole milliseconds: at least one, so that a claim never ends as it begins.
pub(crate) fn whole_milliseconds(duration: Duration) -> TimeDelta {
    let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    TimeDelta::milliseconds(ms.clamp(1, YEAR_MS))
}
