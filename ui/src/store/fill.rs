//! How answers and updates get into the store.

use super::{Entry, Listed, Loading, Store, put};
use crate::api::{
    Current, History, Incident, IncidentState, OpenIncident, Service, ServiceChange,
    ServiceChangeKind, ServiceUptime, StatusUpdate,
};
use dioxus::prelude::*;
use std::{collections::BTreeMap, rc::Rc};
use uuid::Uuid;

impl Store {
    /// The whole list: what is not in it is gone.
    pub fn fill(self, services: Vec<Service>) {
        let mut listed = BTreeMap::new();
        let mut open = BTreeMap::new();
        for service in services
            .into_iter()
            .filter_map(|service| self.as_wished(service))
        {
            let id = service.id;
            if let Some(incident) = &service.open_incident {
                open.insert(id, incident.clone());
            }
            let entry = self.keep(service);
            listed.insert(
                id,
                Listed::of(&entry.service.peek(), entry.current.peek().as_ref()),
            );
        }
        put(self.open, open);
        put(self.listed, listed);
        put(self.loading, Loading::Ready);
    }

    /// One service as the server has it now.
    pub fn upsert(mut self, service: Service) {
        let Some(service) = self.as_wished(service) else {
            return;
        };
        let id = service.id;
        let incident = service.open_incident.clone();
        let entry = self.keep(service);
        let listed = Listed::of(&entry.service.peek(), entry.current.peek().as_ref());
        if self.listed.peek().get(&id) != Some(&listed) {
            self.listed.write().insert(id, listed);
        }
        self.set_open(id, incident);
    }

    /// Services as they are wished to be; `None` stands for one that is wished away.
    pub(super) fn show_all(mut self, shown: Vec<(Uuid, Option<Service>)>) {
        if shown.is_empty() {
            return;
        }
        let store = self;
        let mut listed = self.listed.write();
        let mut open = self.open.write();
        for (id, service) in shown {
            // Nobody looks at a paused service: its incident is over.
            match service
                .as_ref()
                .and_then(|service| service.open_incident.clone().filter(|_| !service.paused))
            {
                Some(incident) => open.insert(id, incident),
                None => open.remove(&id),
            };
            match (service, store.entry(id)) {
                (Some(service), Some(entry)) => {
                    listed.insert(id, Listed::of(&service, entry.current.peek().as_ref()));
                    put(
                        entry.service,
                        Rc::new(Service {
                            current: None,
                            open_incident: None,
                            ..service
                        }),
                    );
                }
                _ => {
                    listed.remove(&id);
                }
            }
        }
    }

    /// Takes a service out of every list.
    pub fn remove(mut self, id: Uuid) {
        if self.listed.peek().contains_key(&id) {
            self.listed.write().remove(&id);
        }
        self.set_open(id, None);
        if self
            .incidents
            .peek()
            .values()
            .any(|incident| incident.service.id == id)
        {
            self.incidents
                .write()
                .retain(|_, incident| incident.service.id != id);
        }
    }

    /// The histories of services that are known.
    pub fn fill_histories(mut self, histories: Vec<History>) {
        for history in histories {
            if let Some(entry) = self.entry(history.id) {
                put(entry.uptime, history.uptime.percent);
                put(entry.history, Some(Rc::new(history)));
            }
        }
        self.uptimes += 1;
    }

    /// The uptimes of services that are known.
    pub fn fill_uptimes(mut self, uptimes: Vec<ServiceUptime>) {
        for known in uptimes {
            if let Some(entry) = self.entry(known.id) {
                put(entry.uptime, known.uptime.percent);
            }
        }
        self.uptimes += 1;
    }

    /// Incidents, each replacing what was known of it.
    pub fn fill_incidents(mut self, incidents: &[Incident]) {
        if incidents
            .iter()
            .any(|incident| self.incidents.peek().get(&incident.id) != Some(incident))
        {
            self.incidents.write().extend(
                incidents
                    .iter()
                    .map(|incident| (incident.id, incident.clone())),
            );
        }
    }

    /// A check that was recorded.
    pub fn apply_status(mut self, update: StatusUpdate) {
        let Some(entry) = self.entry(update.service.id) else {
            return;
        };
        // Two ways lead here (a query's answer and the stream), and the later news may come first.
        if entry
            .current
            .peek()
            .as_ref()
            .is_some_and(|known| known.checked_at > update.current.checked_at)
        {
            return;
        }
        let status = update.current.status;
        put(entry.current, Some(update.current));
        if self
            .listed
            .peek()
            .get(&entry.id)
            .is_some_and(|listed| listed.status != status)
        {
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
            let newer = |new: &Current| {
                entry
                    .current
                    .peek()
                    .as_ref()
                    .is_none_or(|old| new.checked_at >= old.checked_at)
            };
            if current.as_ref().is_none_or(newer) {
                put(entry.current, current);
            }
            return entry;
        }
        let entry = Entry {
            id,
            service: Signal::new_in_scope(Rc::new(service), ScopeId::ROOT),
            current: Signal::new_in_scope(current, ScopeId::ROOT),
            uptime: Signal::new_in_scope(None, ScopeId::ROOT),
            history: Signal::new_in_scope(None, ScopeId::ROOT),
            flips: Signal::new_in_scope(0, ScopeId::ROOT),
        };
        self.entries.write().insert(id, entry);
        entry
    }
}
