//! Runs the commands on services: shows the result at once, sends the mutation, rolls back on
//! failure, offers undo.

use super::{
    ListedService, ServiceAction, Store, ToastAction, ToastKind, actions::UNDO_WINDOW_MS,
    optimistic::PendingChange,
};
use crate::{
    api::{
        self, ById, ByIds, CheckNow, DeleteServices, PauseServices, Problem, RecategoriseServices,
        RecategoriseVariables, ResumeServices, UndoPauseServices,
    },
    browser, format,
};
use dioxus::{core::spawn_forever, prelude::*};
use std::{collections::BTreeMap, pin::Pin};
use uuid::Uuid;

/// Maximum number of ids in one mutation; the server's limit.
const MAX_IDS: usize = 2000;

/// Checks a service now; the result arrives over the live connection.
pub async fn check_now(store: Store, id: Uuid) {
    match api::request::<CheckNow>(ById { id }).await {
        Ok(checked) => store.upsert(checked.check_service),
        Err(problem) => store.toasts.problem("Could not check", &problem),
    }
}

impl Store {
    /// Runs an action. Its result is shown at once, and rolled back if the server rejects it.
    pub fn dispatch(self, action: ServiceAction) {
        match action {
            ServiceAction::Pause(ids) => {
                let ids = self.matching_ids(ids, |service| !service.paused);
                let undo = ToastAction::Undo(ServiceAction::UndoPause(ids.clone()));
                self.change(ids, PendingChange::Paused(true), "paused", Some(undo));
            }
            ServiceAction::Resume(ids) => {
                let ids = self.matching_ids(ids, |service| service.paused);
                self.change(ids, PendingChange::Paused(false), "resumed", None);
            }
            ServiceAction::UndoPause(ids) => {
                let ids = self.matching_ids(ids, |service| service.paused);
                self.change(ids, PendingChange::PauseUndone, "no longer paused", None);
            }
            ServiceAction::Recategorise(ids, category) => self.recategorise(ids, category),
            ServiceAction::RestoreCategories(categories) => {
                for (category, ids) in categories {
                    self.change(ids, PendingChange::Category(category), "moved back", None);
                }
            }
            ServiceAction::Delete(ids) => self.delete(self.matching_ids(ids, |_| true)),
            ServiceAction::CancelDeletion(change_id) => {
                if let Some(ids) = self.take_pending_deletion(change_id) {
                    self.rollback(change_id, &ids);
                }
            }
        }
    }

    fn recategorise(self, ids: Vec<Uuid>, category: Option<String>) {
        let ids = self.matching_ids(ids, |service| service.category != category);
        let mut previous: BTreeMap<Option<String>, Vec<Uuid>> = BTreeMap::new();
        for id in &ids {
            let listed = self.services.listed.peek();
            let category = listed.get(id).and_then(|service| service.category.clone());
            previous.entry(category).or_default().push(*id);
        }
        let done = match &category {
            Some(category) => format!("moved to {category}"),
            None => "moved out of their category".to_owned(),
        };
        let undo = ServiceAction::RestoreCategories(previous.into_iter().collect());
        self.change(
            ids,
            PendingChange::Category(category),
            &done,
            Some(ToastAction::Undo(undo)),
        );
    }

    /// Hides the services at once, and sends the deletion when it can no longer be undone.
    fn delete(mut self, ids: Vec<Uuid>) {
        if ids.is_empty() {
            return;
        }
        let change_id = self.next_change_id();
        let toast = self.toasts.add(
            ToastKind::Success,
            self.toast_text("deleted", &ids),
            Some(ToastAction::Undo(ServiceAction::CancelDeletion(change_id))),
        );
        self.add_pending(change_id, &ids, &PendingChange::Deleted);
        self.pending_deletions.write().push((change_id, ids));
        spawn_forever(async move {
            browser::sleep(UNDO_WINDOW_MS).await;
            if let Some(ids) = self.take_pending_deletion(change_id) {
                self.enqueue(change_id, ids, PendingChange::Deleted, toast);
            }
        });
    }

    /// Returns the services of a pending deletion, which is no longer pending then.
    fn take_pending_deletion(mut self, change_id: u32) -> Option<Vec<Uuid>> {
        let index = self
            .pending_deletions
            .peek()
            .iter()
            .position(|(id, _)| *id == change_id)?;
        Some(self.pending_deletions.write().swap_remove(index).1)
    }

    /// Sends the pending deletions while the page is being unloaded.
    pub(crate) fn flush_deletions(mut self) {
        for (_, ids) in std::mem::take(&mut *self.pending_deletions.write()) {
            api::send_on_unload::<DeleteServices>(ByIds { ids });
        }
    }

    /// Returns those of `ids` that are listed and match.
    fn matching_ids(
        self,
        mut ids: Vec<Uuid>,
        matches: impl Fn(&ListedService) -> bool,
    ) -> Vec<Uuid> {
        let listed = self.services.listed.peek();
        ids.retain(|id| listed.get(id).is_some_and(&matches));
        ids
    }

    /// `Web shop paused`, `7 services paused`.
    fn toast_text(self, done: &str, ids: &[Uuid]) -> String {
        let listed = self.services.listed.peek();
        match ids {
            [id] => {
                let name = listed.get(id).map_or("Service", |service| &service.name);
                format!("{name} {done}")
            }
            _ => format!("{} {done}", format::count(ids.len(), "service")),
        }
    }

    /// Shows the change with a toast, and enqueues the mutation.
    fn change(self, ids: Vec<Uuid>, change: PendingChange, done: &str, undo: Option<ToastAction>) {
        if ids.is_empty() {
            return;
        }
        let text = self.toast_text(done, &ids);
        let toast = self.toasts.add(ToastKind::Success, text, undo);
        let change_id = self.next_change_id();
        self.add_pending(change_id, &ids, &change);
        self.enqueue(change_id, ids, change, toast);
    }

    fn enqueue(self, change_id: u32, ids: Vec<Uuid>, change: PendingChange, toast: u32) {
        let task = self.run_mutation(change_id, ids, change, toast);
        self.mutations.peek().enqueue(task);
    }

    async fn run_mutation(self, change_id: u32, ids: Vec<Uuid>, change: PendingChange, toast: u32) {
        for ids in ids.chunks(MAX_IDS) {
            match send_mutation(ids.to_vec(), &change).await {
                Ok(()) => self.commit(change_id, ids),
                Err(problem) => {
                    self.rollback(change_id, ids);
                    self.toasts.dismiss(toast);
                    self.toasts.problem(change.failure(), &problem);
                }
            }
        }
    }
}

fn send_mutation(
    ids: Vec<Uuid>,
    change: &PendingChange,
) -> Pin<Box<dyn Future<Output = Result<(), Problem>>>> {
    match change {
        PendingChange::Paused(true) => api::execute::<PauseServices>(ByIds { ids }),
        PendingChange::Paused(false) => api::execute::<ResumeServices>(ByIds { ids }),
        PendingChange::PauseUndone => api::execute::<UndoPauseServices>(ByIds { ids }),
        PendingChange::Category(category) => {
            let category = category.clone();
            api::execute::<RecategoriseServices>(RecategoriseVariables { ids, category })
        }
        PendingChange::Deleted => api::execute::<DeleteServices>(ByIds { ids }),
    }
}
