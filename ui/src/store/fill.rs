//! How answers and updates get into the store.

use super::{Entry, Listed, Loading, Store, actions::refresh_histories, put};
use crate::{
    api::{History, Incident, IncidentState, OpenIncident, Service, ServiceChange, ServiceChangeKind, StatusUpdate},
    browser, format,
};
use dioxus::{core::spawn_forever, prelude::*};
use std::{collections::BTreeMap, rc::Rc};
use uuid::Uuid;

/// Changes of status within this time are announced in one sentence.
const ANNOUNCE_AFTER_MS: u32 = 1500;

impl Store {
    /// The whole list: what is not in it is gone.
    pub fn fill(self, services: Vec<Service>) {
        let mut listed = BTreeMap::new();
        let mut open = BTreeMap::new();
        for service in services {
            let id = service.id;
            if let Some(incident) = &service.open_incident {
                open.insert(id, incident.clone());
            }
            let entry = self.keep(service);
            listed.insert(id, Listed::of(&entry.service.peek(), entry.current.peek().as_ref()));
        }
        put(self.open, open);
        put(self.listed, listed);
        put(self.loading, Loading::Ready);
    }

    /// One service as the server has it now.
    pub fn upsert(mut self, service: Service) {
        let id = service.id;
        let incident = service.open_incident.clone();
        let entry = self.keep(service);
        let listed = Listed::of(&entry.service.peek(), entry.current.peek().as_ref());
        if self.listed.peek().get(&id) != Some(&listed) {
            self.listed.write().insert(id, listed);
        }
        self.set_open(id, incident);
    }

    /// Takes a service out of every list.
    pub fn remove(mut self, id: Uuid) {
        if self.listed.peek().contains_key(&id) {
            self.listed.write().remove(&id);
        }
        self.set_open(id, None);
        if self.incidents.peek().values().any(|incident| incident.service.id == id) {
            self.incidents.write().retain(|_, incident| incident.service.id != id);
        }
    }

    /// The histories of services that are known.
    pub fn fill_histories(self, histories: Vec<History>) {
        for history in histories {
            if let Some(entry) = self.entry(history.id) {
                put(entry.history, Some(Rc::new(history)));
            }
        }
    }

    /// Incidents, each replacing what was known of it.
    pub fn fill_incidents(mut self, incidents: &[Incident]) {
        if incidents.iter().any(|incident| self.incidents.peek().get(&incident.id) != Some(incident)) {
            self.incidents.write().extend(incidents.iter().map(|incident| (incident.id, incident.clone())));
        }
    }

    /// A check that was recorded.
    pub fn apply_status(mut self, update: StatusUpdate) {
        let Some(entry) = self.entry(update.service.id) else { return };
        // Two ways lead here (a query's answer and the stream), and the later news may come first.
        if entry.current.peek().as_ref().is_some_and(|known| known.checked_at > update.current.checked_at) {
            return;
        }
        let status = update.current.status;
        put(entry.current, Some(update.current));
        if self.listed.peek().get(&entry.id).is_some_and(|listed| listed.status != status) {
            if let Some(listed) = self.listed.write().get_mut(&entry.id) {
                listed.status = status;
            }
            let mut flips = entry.flips;
            flips += 1;
            self.announce(entry.id, status);
        }
    }

    /// An incident that opened, changed or ended.
    pub fn apply_incident(self, incident: &Incident) {
        let id = incident.service.id;
        let open_here = self.open.peek().get(&id).map(|open| open.id);
        match incident.state {
            IncidentState::Open => self.set_open(
                id,
                Some(OpenIncident {
                    id: incident.id,
                    kind: incident.kind,
                    started_at: incident.started_at,
                    cause: incident.cause.clone(),
                }),
            ),
            IncidentState::Resolved if open_here == Some(incident.id) => self.set_open(id, None),
            IncidentState::Resolved => {}
        }
        self.fill_incidents(std::slice::from_ref(incident));
    }

    /// A definition that was changed, here or in another window.
    pub fn apply_change(self, change: ServiceChange) {
        match (change.change, change.service) {
            (ServiceChangeKind::Deleted, _) => self.remove(change.service_id),
            (_, Some(service)) => self.upsert(service),
            (_, None) => {}
        }
    }

    fn set_open(mut self, id: Uuid, incident: Option<OpenIncident>) {
        if self.open.peek().get(&id) == incident.as_ref() {
            return;
        }
        let mut open = self.open.write();
        match incident {
            Some(incident) => open.insert(id, incident),
            None => open.remove(&id),
        };
    }

    /// The signals of `service`, made on first sight, with what it brings.
    fn keep(mut self, mut service: Service) -> Entry {
        let id = service.id;
        let current = service.current.take();
        service.open_incident = None;
        if let Some(entry) = self.entry(id) {
            put(entry.service, Rc::new(service));
            let newer = match (&*entry.current.peek(), &current) {
                (Some(known), Some(new)) => new.checked_at >= known.checked_at,
                _ => true,
            };
            if newer {
                put(entry.current, current);
            }
            return entry;
        }
        let entry = Entry {
            id,
            service: Signal::new_in_scope(Rc::new(service), ScopeId::ROOT),
            current: Signal::new_in_scope(current, ScopeId::ROOT),
            history: Signal::new_in_scope(None, ScopeId::ROOT),
            flips: Signal::new_in_scope(0, ScopeId::ROOT),
        };
        self.entries.write().insert(id, entry);
        entry
    }

    /// Tells a change of status to those who do not see it; changes that come together are told together.
    fn announce(mut self, id: Uuid, status: crate::api::Status) {
        let first = self.unannounced.peek().is_empty();
        self.unannounced.write().push((id, status));
        if !first {
            return;
        }
        spawn_forever(async move {
            browser::sleep(ANNOUNCE_AFTER_MS).await;
            let changes = std::mem::take(&mut *self.unannounced.write());
            let listed = self.listed.peek();
            let sentences: Vec<String> = changes
                .iter()
                .filter_map(|(id, status)| Some(format!("{} is {}", listed.get(id)?.name, status.word())))
                .collect();
            let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
            self.announcement.set(format::names(&sentences, 3));
            drop(listed);
            let mut changed: Vec<Uuid> = changes.into_iter().map(|(id, _)| id).collect();
            changed.sort_unstable();
            changed.dedup();
            refresh_histories(self, changed).await;
        });
    }
}
