//! The filter of incidents.

use super::object::{IncidentState, IncidentType};
use crate::graphql::scalar::{Id, Time};
use crate::use_cases::incident::IncidentCriteria;
use crate::use_cases::{Error, Result};
use async_graphql::InputObject;
use chrono::SubsecRound;

/// Filter of incidents; conditions that are absent match every incident.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct IncidentFilter {
    /// Incidents of this service.
    service_id: Option<Id>,
    /// Incidents of this type.
    r#type: Option<IncidentType>,
    /// Open or resolved incidents.
    state: Option<IncidentState>,
    /// Incidents that were not resolved before this time.
    from: Option<Time>,
    /// Incidents that had started by this time.
    to: Option<Time>,
}

impl IncidentFilter {
    /// Checks the range of time.
    pub(super) fn validate(self) -> Result<IncidentCriteria> {
        // Stored times are whole milliseconds, and SQLite compares them as text.
        let (from, to) = (
            self.from.map(|time| time.0.trunc_subsecs(3)),
            self.to.map(|time| time.0.trunc_subsecs(3)),
        );
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(Error::field("from", "must not be after `to`"));
        }
        Ok(IncidentCriteria {
            service_id: self.service_id.map(|id| id.0),
            kind: self.r#type.map(Into::into),
            open: self.state.map(|state| state == IncidentState::Open),
            from,
            to,
        })
    }
}
