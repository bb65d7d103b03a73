//! What the dashboard has to know about the kinds of monitors.

use crate::api::MonitorKind;

/// Returns whether PulseCheck itself sends requests to the target of such a service.
pub(crate) const fn sends_requests(kind: MonitorKind) -> bool {
    matches!(kind, MonitorKind::Http)
}
