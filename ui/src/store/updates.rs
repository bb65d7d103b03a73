//! Writes responses and live updates to the store.

use super::{ListedService, Loading, Store, set_if_changed};
use crate::api::{
    Incident, IncidentState, OpenIncident, Service, ServiceChange, ServiceChangeKind, StatusUpdate,
};
use dioxus::prelude::*;
use std::{collections::BTreeMap, rc::Rc};
use uuid::Uuid;

impl Store {
    /// Replaces the list of services. What was streamed since the list was requested stays.
    pub fn replace_services(self, services: Vec<Service>) {
        let mut listed = BTreeMap::new();
        let mut open = BTreeMap::new();
        let (listed_before, open_before) =
            (self.services.listed.peek(), self.incidents.open.peek());
        for (id, service) in &*listed_before {
            if self.services.change_since_load(*id) == Some(true) {
                listed.insert(*id, service.clone());
                open.extend(open_before.get(id).map(|open| (*id, open.clone())));
            }
        }
        for service in services
            .into_iter()
            .filter(|service| self.services.change_since_load(service.id) != Some(false))
            .filter_map(|service| self.apply_pending(service))
        {
            let id = service.id;
            let incident = service.open_incident.clone();
            let (entry, is_outdated) = self.services.upsert_entry(service);
            let incident = if is_outdated {
                open_before.get(&id).cloned()
            } else {
                incident
            };
            open.extend(incident.map(|incident| (id, incident)));
            listed.insert(id, entry.to_listed());
        }
        drop((listed_before, open_before));
        set_if_changed(self.incidents.open, open);
        set_if_changed(self.services.listed, listed);
        set_if_changed(self.services.loading, Loading::Ready);
    }

    /// Inserts or replaces one service.
    pub fn upsert(mut self, service: Service) {
        let Some(service) = self.apply_pending(service) else {
            return;
        };
        let id = service.id;
        let incident = service.open_incident.clone();
        let (entry, is_outdated) = self.services.upsert_entry(service);
        let listed = entry.to_listed();
        let known = self.services.listed.peek().get(&id).cloned();
        if known.is_none() {
            self.services.note_added(id);
        }
        if known.as_ref() != Some(&listed) {
            self.services.listed.write().insert(id, listed);
        }
        if !is_outdated {
            self.incidents.set_open(id, incident);
        }
    }

    /// Shows services with their pending changes; `None` hides one.
    pub(super) fn set_shown(mut self, services: Vec<(Uuid, Option<Service>)>) {
        if services.is_empty() {
            return;
        }
        let store = self;
        let mut listed = self.services.listed.write();
        let mut open = self.incidents.open.write();
        for (id, service) in services {
            // A paused service has no open incident.
            let incident = service
                .as_ref()
                .filter(|service| !service.paused)
                .and_then(|service| service.open_incident.clone());
            match incident {
                Some(incident) => open.insert(id, incident),
                None => open.remove(&id),
            };
            let (Some(service), Some(entry)) = (service, store.services.entry(id)) else {
                listed.remove(&id);
                continue;
            };
            let current = entry.current.peek();
            listed.insert(id, ListedService::from_service(&service, current.as_ref()));
            let definition = Service {
                current: None,
                open_incident: None,
                ..service
            };
            set_if_changed(entry.service, Rc::new(definition));
        }
    }

    /// Removes a service and its incidents.
    pub fn remove(self, id: Uuid) {
        self.services.remove(id);
        self.incidents.remove_service(id);
    }

    /// Applies a recorded check.
    pub fn apply_status(mut self, update: StatusUpdate) {
        let Some(entry) = self.services.entry(update.service.id) else {
            self.services
                .keep_early_check(update.service.id, update.current);
            return;
        };
        // Queries and the stream can overtake each other, so an older check may arrive after a
        // newer one.
        let is_outdated = entry
            .current
            .peek()
            .as_ref()
            .is_some_and(|known| known.checked_at > update.current.checked_at);
        if is_outdated {
            return;
        }
        let status = update.current.status;
        set_if_changed(entry.current, Some(update.current));
        let is_changed = self
            .services
            .listed
            .peek()
            .get(&entry.id)
            .is_some_and(|listed| listed.status != status);
        if is_changed {
            if let Some(listed) = self.services.listed.write().get_mut(&entry.id) {
                listed.status = status;
            }
            let mut status_revision = entry.status_revision;
            status_revision += 1;
            self.announce(entry.id, status);
        }
    }

    /// Applies an incident that opened, changed or ended.
    pub fn apply_incident(self, incident: &Incident) {
        let service_id = incident.service.id;
        let open_id = self
            .incidents
            .open
            .peek()
            .get(&service_id)
            .map(|open| open.id);
        match incident.state {
            IncidentState::Open => {
                let open = OpenIncident {
                    id: incident.id,
                    kind: incident.kind,
                    started_at: incident.started_at,
                    cause: incident.cause.clone(),
                };
                self.incidents.set_open(service_id, Some(open));
            }
            IncidentState::Resolved if open_id == Some(incident.id) => {
                self.incidents.set_open(service_id, None);
            }
            IncidentState::Resolved => {}
        }
        self.incidents.insert_all(std::slice::from_ref(incident));
    }

    /// Applies a change to a definition, made here or in another window.
    pub fn apply_change(self, change: ServiceChange) {
        match (change.change, change.service) {
            (ServiceChangeKind::Deleted, _) => self.remove(change.service_id),
            (_, Some(service)) => self.upsert(service),
            (_, None) => {}
        }
    }
}
