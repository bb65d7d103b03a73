//! What people do to services: shown at once, taken back when the server refuses.

use super::{Loading, Session, Store, put};
use crate::api::{
    self, ById, CheckNow, DeleteService, GetHistory, ListHistories, ListServices, PauseService, Problem, ProblemKind,
    ResumeService,
};
use cynic::{MutationBuilder, QueryBuilder};
use dioxus::prelude::*;
use std::rc::Rc;
use uuid::Uuid;

/// More services than this are not asked for one by one.
const AT_ONCE: usize = 8;

/// Asks for every service. What is known already stays on the screen meanwhile.
pub async fn load(store: Store) {
    match api::request(ListServices::build(())).await {
        Ok(list) => store.fill(list.services),
        Err(problem) if problem.kind == ProblemKind::SignedOut => put(store.session, Session::SignedOut),
        Err(problem) if *store.loading.peek() != Loading::Ready => put(store.loading, Loading::Failed(problem)),
        // The bar about the lost connection tells it already.
        Err(_) => {}
    }
}

/// Asks for the last 30 days of every service.
pub async fn load_histories(store: Store) {
    if let Ok(list) = api::request(ListHistories::build(())).await {
        store.fill_histories(list.services);
    }
}

/// Asks for the last 30 days of those whose status has just changed.
pub(super) async fn refresh_histories(store: Store, changed: Vec<Uuid>) {
    if changed.len() > AT_ONCE {
        return load_histories(store).await;
    }
    for id in changed {
        if let Ok(GetHistory { service: Some(history) }) = api::request(GetHistory::build(ById { id })).await {
            store.fill_histories(vec![history]);
        }
    }
}

/// Stops checking `id`.
pub async fn pause(store: Store, id: Uuid) {
    set_paused(store, id, true);
    match api::request(PauseService::build(ById { id })).await {
        Ok(paused) => store.upsert(paused.pause_service),
        Err(problem) => {
            set_paused(store, id, false);
            store.say_failed("Could not pause", &problem);
        }
    }
}

/// Goes on checking `id`.
pub async fn resume(store: Store, id: Uuid) {
    set_paused(store, id, false);
    match api::request(ResumeService::build(ById { id })).await {
        Ok(resumed) => store.upsert(resumed.resume_service),
        Err(problem) => {
            set_paused(store, id, true);
            store.say_failed("Could not resume", &problem);
        }
    }
}

/// Checks `id` at once; the result arrives over the live connection.
pub async fn check_now(store: Store, id: Uuid) {
    match api::request(CheckNow::build(ById { id })).await {
        Ok(checked) => store.upsert(checked.check_service),
        Err(problem) => store.say_failed("Could not check", &problem),
    }
}

/// Deletes `id` with all its history.
///
/// # Errors
/// When the server refuses; the service is back in the list then.
pub async fn delete(mut store: Store, id: Uuid) -> Result<(), Problem> {
    let listed = store.listed.peek().get(&id).cloned();
    let open = store.open.peek().get(&id).cloned();
    store.remove(id);
    match api::request(DeleteService::build(ById { id })).await {
        Ok(_) => Ok(()),
        Err(problem) if problem.kind == ProblemKind::NotFound => Ok(()),
        Err(problem) => {
            if let Some(listed) = listed {
                store.listed.write().insert(id, listed);
            }
            if let Some(open) = open {
                store.open.write().insert(id, open);
            }
            Err(problem)
        }
    }
}

fn set_paused(mut store: Store, id: Uuid, paused: bool) {
    if let Some(listed) = store.listed.write().get_mut(&id) {
        listed.paused = paused;
    }
    if let Some(mut entry) = store.entry(id) {
        let mut service = (**entry.service.peek()).clone();
        service.paused = paused;
        entry.service.set(Rc::new(service));
    }
}
