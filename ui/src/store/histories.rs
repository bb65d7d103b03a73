//! Remembers which services' histories were requested, so that each is loaded once. The histories
//! themselves are in the services' [`Entry`](super::Entry).

use super::root_signal;
use dioxus::prelude::*;
use std::collections::HashSet;
use uuid::Uuid;

#[derive(Clone, Copy)]
pub struct HistoryStore {
    /// Grows when all histories have to be loaded again.
    pub refetch_generation: Signal<u32>,
    requested: CopyValue<HashSet<Uuid>>,
}

impl HistoryStore {
    pub(super) fn new() -> Self {
        Self {
            refetch_generation: root_signal(0),
            requested: CopyValue::new_in_scope(HashSet::new(), ScopeId::ROOT),
        }
    }

    pub(super) fn is_requested(&self, id: Uuid) -> bool {
        self.requested.read().contains(&id)
    }

    pub(super) fn mark_requested(&mut self, ids: &[Uuid]) {
        self.requested.write().extend(ids);
    }

    /// Lets the histories of `ids` be loaded again.
    pub(super) fn invalidate(&mut self, ids: &[Uuid]) {
        self.requested.write().retain(|id| !ids.contains(id));
    }

    /// Lets every history be loaded again.
    pub(super) fn invalidate_all(&mut self) {
        self.requested.write().clear();
        self.refetch_generation += 1;
    }
}
