//! Incidents that were loaded or streamed.

use super::root_signal;
use crate::api::{Incident, OpenIncident};
use dioxus::prelude::*;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

#[derive(Clone, Copy)]
pub struct IncidentStore {
    pub by_id: Signal<HashMap<Uuid, Incident>>,
    /// The open incident of each service that has one, by the service's id.
    pub open: Signal<BTreeMap<Uuid, OpenIncident>>,
}

impl IncidentStore {
    pub(super) fn new() -> Self {
        Self {
            by_id: root_signal(HashMap::new()),
            open: root_signal(BTreeMap::new()),
        }
    }

    /// Inserts incidents, or replaces them.
    pub fn insert_all(mut self, incidents: &[Incident]) {
        let changed = incidents
            .iter()
            .any(|incident| self.by_id.peek().get(&incident.id) != Some(incident));
        if changed {
            self.by_id.write().extend(
                incidents
                    .iter()
                    .map(|incident| (incident.id, incident.clone())),
            );
        }
    }

    /// Removes the incidents of a service.
    pub(super) fn remove_service(mut self, service_id: Uuid) {
        self.set_open(service_id, None);
        let any = self
            .by_id
            .peek()
            .values()
            .any(|incident| incident.service.id == service_id);
        if any {
            self.by_id
                .write()
                .retain(|_, incident| incident.service.id != service_id);
        }
    }

    pub(super) fn set_open(mut self, service_id: Uuid, incident: Option<OpenIncident>) {
        if self.open.peek().get(&service_id) == incident.as_ref() {
            return;
        }
        let mut open = self.open.write();
        match incident {
            Some(incident) => open.insert(service_id, incident),
            None => open.remove(&service_id),
        };
    }
}
