//! The services: definitions, current status, uptime and history.

use super::{ListedService, Summary, root_signal, set_if_changed};
use crate::{
    api::{Current, History, Problem, Service, ServiceUptime},
    name_order::sort_by_name,
};
use dioxus::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};
use uuid::Uuid;

/// The state of the list of services.
#[derive(Debug, Clone, PartialEq)]
pub enum Loading {
    Pending,
    /// Loaded, and kept current by the live connection.
    Ready,
    /// The first load failed.
    Failed(Problem),
}

/// The signals of one service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    pub id: Uuid,
    /// The definition. Its `current` and `open_incident` are always empty, because they are stored
    /// elsewhere.
    pub service: Signal<Rc<Service>>,
    /// The result of the last check; `None` before the first.
    pub current: Signal<Option<Current>>,
    /// The uptime over 30 days in percent; `None` until it is loaded, or when no time was covered
    /// by checks.
    pub uptime: Signal<Option<f64>>,
    /// The last 30 days; `None` until they are loaded.
    pub history: Signal<Option<Rc<History>>>,
    /// Grows with each change of status that arrives live.
    pub status_revision: Signal<u32>,
}

impl Entry {
    fn new(service: Service, current: Option<Current>) -> Self {
        Self {
            id: service.id,
            service: root_signal(Rc::new(service)),
            current: root_signal(current),
            uptime: root_signal(None),
            history: root_signal(None),
            status_revision: root_signal(0),
        }
    }

    /// Returns the service as the list needs it. Does not subscribe.
    pub(super) fn to_listed(self) -> ListedService {
        ListedService::from_service(&self.service.peek(), self.current.peek().as_ref())
    }
}

#[derive(Clone, Copy)]
pub struct ServiceStore {
    pub loading: Signal<Loading>,
    /// The fields by which lists filter, sort, group and count. Changes with a definition or a
    /// status, not with every check.
    pub listed: Signal<BTreeMap<Uuid, ListedService>>,
    /// The counts over all services.
    pub summary: Memo<Summary>,
    /// The mean uptime over 30 days of the services that are not paused, in percent.
    pub mean_uptime: Memo<Option<f64>>,
    entries: Signal<HashMap<Uuid, Entry>>,
    uptime_revision: Signal<u32>,
    /// Checks that were streamed before the service itself: a new service is checked within
    /// milliseconds, and the response that brings it may take longer.
    early_checks: CopyValue<HashMap<Uuid, Current>>,
    /// Services that were added or removed since the last load of the list began, with whether they
    /// were added: the list is from before.
    changed_since_load: CopyValue<HashMap<Uuid, bool>>,
    /// Whether a load of the list has ever begun.
    pub(crate) load_began: CopyValue<bool>,
}

impl ServiceStore {
    pub(super) fn new() -> Self {
        let listed = root_signal(BTreeMap::<Uuid, ListedService>::new());
        let entries = root_signal(HashMap::<Uuid, Entry>::new());
        let uptime_revision = root_signal(0);
        let mean_uptime = move || {
            let _ = uptime_revision.read();
            let (entries, listed) = (entries.peek(), listed.read());
            let active = listed.iter().filter(|(_, service)| !service.paused);
            mean(active.filter_map(|(id, _)| *entries.get(id)?.uptime.peek()))
        };
        Self {
            loading: root_signal(Loading::Pending),
            listed,
            summary: Memo::new(move || Summary::of(listed.read().values())),
            mean_uptime: Memo::new(mean_uptime),
            entries,
            uptime_revision,
            early_checks: CopyValue::new_in_scope(HashMap::new(), ScopeId::ROOT),
            changed_since_load: CopyValue::new_in_scope(HashMap::new(), ScopeId::ROOT),
            load_began: CopyValue::new_in_scope(false, ScopeId::ROOT),
        }
    }

    /// Returns the signals of a service; `None` if it was never loaded. Does not subscribe.
    #[must_use]
    pub fn entry(&self, id: Uuid) -> Option<Entry> {
        self.entries.peek().get(&id).copied()
    }

    /// Returns whether there is no service.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let summary = self.summary.read();
        summary.total + summary.paused == 0
    }

    /// Returns the categories in use, in alphabetical order.
    #[must_use]
    pub fn categories(&self) -> Vec<String> {
        let listed = self.listed.read();
        let categories: BTreeSet<_> = listed
            .values()
            .filter_map(|listed| listed.category.clone())
            .collect();
        let mut categories: Vec<_> = categories.into_iter().collect();
        sort_by_name(&mut categories, String::as_str);
        categories
    }

    /// Stores histories of known services.
    pub fn insert_histories(mut self, histories: Vec<History>) {
        for history in histories {
            if let Some(entry) = self.entry(history.id) {
                set_if_changed(entry.uptime, history.uptime.percent);
                set_if_changed(entry.history, Some(Rc::new(history)));
            }
        }
        self.uptime_revision += 1;
    }

    /// Stores uptimes of known services.
    pub fn insert_uptimes(mut self, uptimes: Vec<ServiceUptime>) {
        for service in uptimes {
            if let Some(entry) = self.entry(service.id) {
                set_if_changed(entry.uptime, service.uptime.percent);
            }
        }
        self.uptime_revision += 1;
    }

    /// Writes a service to its signals, which are created for a new service. Returns whether the
    /// service is from before a check that was streamed: such a check is not replaced, and what else
    /// follows from it is not known here either.
    pub(super) fn upsert_entry(mut self, mut service: Service) -> (Entry, bool) {
        let id = service.id;
        let current = service.current.take();
        service.open_incident = None;
        let is_older = |known: &Current| {
            current
                .as_ref()
                .is_none_or(|current| current.checked_at < known.checked_at)
        };
        let Some(entry) = self.entry(id) else {
            let early = self.early_checks.write().remove(&id);
            let early = early.filter(is_older);
            let is_outdated = early.is_some();
            let entry = Entry::new(service, early.or(current));
            self.entries.write().insert(id, entry);
            return (entry, is_outdated);
        };
        set_if_changed(entry.service, Rc::new(service));
        let is_outdated = entry.current.peek().as_ref().is_some_and(is_older);
        if !is_outdated {
            set_if_changed(entry.current, current);
        }
        (entry, is_outdated)
    }

    /// Keeps the newest check of a service that is not here yet.
    pub(super) fn keep_early_check(mut self, id: Uuid, check: Current) {
        let mut early = self.early_checks.write();
        let is_newer = early
            .get(&id)
            .is_none_or(|known| known.checked_at <= check.checked_at);
        if is_newer {
            early.insert(id, check);
        }
    }

    /// Notes that a load of the list begins.
    pub(super) fn begin_load(mut self) {
        self.load_began.set(true);
        self.changed_since_load.write().clear();
    }

    /// Notes that a service was added to the list.
    pub(super) fn note_added(mut self, id: Uuid) {
        self.changed_since_load.write().insert(id, true);
    }

    /// Returns whether a service was added (`Some(true)`) or removed (`Some(false)`) since the last load
    /// of the list began.
    pub(super) fn change_since_load(&self, id: Uuid) -> Option<bool> {
        self.changed_since_load.read().get(&id).copied()
    }

    pub(super) fn remove(mut self, id: Uuid) {
        self.early_checks.write().remove(&id);
        self.changed_since_load.write().insert(id, false);
        if self.listed.peek().contains_key(&id) {
            self.listed.write().remove(&id);
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}
