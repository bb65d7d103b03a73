//! Optimistic updates: the store keeps the confirmed service and a list of pending changes, and
//! shows the service with the changes applied. A failed mutation rolls back only its own change,
//! and updates that arrive in between are not lost.

use super::Store;
use crate::api::Service;
use dioxus::prelude::*;
use std::collections::HashMap;
use uuid::Uuid;

/// A change that is shown before the server confirms it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PendingChange {
    Paused(bool),
    PauseUndone,
    Category(Option<String>),
    Deleted,
}

impl PendingChange {
    /// Returns the beginning of the message about a failure.
    pub(super) const fn failure(&self) -> &'static str {
        match self {
            Self::Paused(true) => "Could not pause",
            Self::Paused(false) => "Could not resume",
            Self::PauseUndone => "Could not undo the pause",
            Self::Category(_) => "Could not move",
            Self::Deleted => "Could not delete",
        }
    }
}

/// A service with pending changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OptimisticService {
    /// The last state that the server sent.
    confirmed: Service,
    /// By change id, in order.
    pending: Vec<(u32, PendingChange)>,
}

impl OptimisticService {
    /// Returns the service with the pending changes applied; `None` when it is being deleted.
    fn apply_pending(&self) -> Option<Service> {
        let mut service = self.confirmed.clone();
        for (_, change) in &self.pending {
            match change {
                PendingChange::Paused(paused) => service.paused = *paused,
                PendingChange::PauseUndone => service.paused = false,
                PendingChange::Category(category) => service.category.clone_from(category),
                PendingChange::Deleted => return None,
            }
        }
        Some(service)
    }

    /// Makes the change `change_id` a part of the confirmed state.
    fn commit(&mut self, change_id: u32) {
        let (committed, pending): (Vec<_>, Vec<_>) =
            self.pending.drain(..).partition(|(id, _)| *id == change_id);
        self.pending = committed;
        let confirmed = self.apply_pending();
        self.pending = pending;
        match confirmed {
            Some(confirmed) => self.confirmed = confirmed,
            // No other change to a deleted service matters.
            None => self.pending = vec![(change_id, PendingChange::Deleted)],
        }
    }
}

/// The services with pending changes, by id.
pub(super) type PendingChanges = HashMap<Uuid, OptimisticService>;

impl Store {
    /// Returns an id for a group of pending changes.
    pub(super) fn next_change_id(mut self) -> u32 {
        self.last_change_id += 1;
        *self.last_change_id.peek()
    }

    /// Shows `change` of each listed service of `ids`, under `change_id`.
    pub(super) fn add_pending(mut self, change_id: u32, ids: &[Uuid], change: &PendingChange) {
        for id in ids {
            let listed = self.services.listed.peek().contains_key(id);
            let Some(entry) = self.services.entry(*id).filter(|_| listed) else {
                continue;
            };
            let mut confirmed = (**entry.service.peek()).clone();
            confirmed.open_incident = self.incidents.open.peek().get(id).cloned();
            self.pending
                .write()
                .entry(*id)
                .or_insert_with(|| OptimisticService {
                    confirmed,
                    pending: Vec::new(),
                })
                .pending
                .push((change_id, change.clone()));
        }
        self.render_pending(ids);
    }

    /// Confirms a change after its mutation has succeeded.
    pub(super) fn commit(mut self, change_id: u32, ids: &[Uuid]) {
        for id in ids {
            if let Some(service) = self.pending.write().get_mut(id) {
                service.commit(change_id);
            }
        }
        self.clear_pending(ids);
    }

    /// Reverts a change after its mutation has failed, or after it was undone.
    pub(super) fn rollback(mut self, change_id: u32, ids: &[Uuid]) {
        for id in ids {
            if let Some(service) = self.pending.write().get_mut(id) {
                service.pending.retain(|(id, _)| *id != change_id);
            }
        }
        self.render_pending(ids);
        self.clear_pending(ids);
    }

    /// Takes a service from the server and returns it with its pending changes applied; `None` when
    /// it is being deleted.
    pub(super) fn apply_pending(mut self, service: Service) -> Option<Service> {
        if !self.pending.peek().contains_key(&service.id) {
            return Some(service);
        }
        let mut pending = self.pending.write();
        let optimistic = pending.get_mut(&service.id)?;
        optimistic.confirmed = service;
        optimistic.apply_pending()
    }

    fn render_pending(self, ids: &[Uuid]) {
        let pending = self.pending.peek();
        let services: Vec<_> = ids
            .iter()
            .filter_map(|id| Some((*id, pending.get(id)?.apply_pending())))
            .collect();
        drop(pending);
        self.set_shown(services);
    }

    /// Drops services without pending changes. A deleted service keeps its change, because an older
    /// response may be on its way.
    fn clear_pending(mut self, ids: &[Uuid]) {
        self.pending
            .write()
            .retain(|id, service| !ids.contains(id) || !service.pending.is_empty());
    }
}
