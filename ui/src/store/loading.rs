//! Loads the services, their uptimes, and the histories of visible ones.

use super::{Loading, Store, set_if_changed};
use crate::api::{
    self, ListHistories, ListHistoriesVariables, ListServices, ListUptimes, ProblemKind,
    ServiceFilter,
};
use dioxus::prelude::*;
use uuid::Uuid;

/// Maximum number of services in one request for histories.
const HISTORY_BATCH: usize = 100;

/// Loads every service. The present list stays on the screen meanwhile.
pub async fn load_services(mut store: Store) {
    match api::request::<ListServices>(()).await {
        Ok(response) => {
            let cached_since = api::cached_since();
            // A cached response is older than anything that was streamed since.
            if cached_since.is_none()
                || *store.services.loading.peek() != Loading::Ready
                || store.connection.cached_since.peek().is_some()
            {
                store.replace_services(response.services);
                set_if_changed(store.connection.cached_since, cached_since);
            }
        }
        Err(problem) if problem.kind == ProblemKind::SignedOut => store.session.end(),
        Err(problem) if *store.services.loading.peek() != Loading::Ready => {
            store.services.loading.set(Loading::Failed(problem));
        }
        // The bar about the lost connection shows it already.
        Err(_) => {}
    }
}

/// Loads the uptime of every service, and lets the histories of visible ones be loaded again.
pub async fn load_uptimes(mut store: Store) {
    if let Ok(response) = api::request::<ListUptimes>(()).await {
        store.services.insert_uptimes(response.services);
    }
    store.histories.invalidate_all();
}

/// Loads the histories of `ids` that were not requested yet.
pub async fn load_histories(mut store: Store, mut ids: Vec<Uuid>) {
    ids.retain(|id| !store.histories.is_requested(*id));
    ids.truncate(HISTORY_BATCH);
    if ids.is_empty() {
        return;
    }
    // Marked before the response is there, so that scrolling meanwhile does not request them again.
    store.histories.mark_requested(&ids);
    let filter = ServiceFilter {
        ids: Some(ids.clone()),
    };
    match api::request::<ListHistories>(ListHistoriesVariables { filter }).await {
        Ok(response) => store.services.insert_histories(response.services),
        Err(_) => store.histories.invalidate(&ids),
    }
}

/// Loads the histories of services whose status has changed, if they were loaded before.
pub(super) async fn reload_histories(mut store: Store, changed: Vec<Uuid>) {
    let ids: Vec<Uuid> = changed
        .into_iter()
        .filter(|id| store.histories.is_requested(*id))
        .collect();
    store.histories.invalidate(&ids);
    load_histories(store, ids).await;
}
