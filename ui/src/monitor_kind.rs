//! What the dashboard has to know about the kinds of monitors.

use crate::api::Schedule;

/// Returns whether PulseCheck itself sends requests to the target of such a service.
pub(crate) const fn sends_requests(schedule: Schedule) -> bool {
    matches!(schedule, Schedule::Every)
}
