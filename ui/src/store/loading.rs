//! Loads the services, their uptimes, and the histories of visible ones.

use super::{Loading, Store, set_if_changed};
use crate::api::{
    self, ListHistories, ListHistoriesVariables, ListServices, ListUptimes, Problem, ProblemKind,
    Service, ServiceFilter, ServicePageVariables,
};
use dioxus::prelude::*;
use uuid::Uuid;

/// Maximum number of services in one request for histories.
const HISTORY_BATCH: usize = 40;

/// Loads every service. The present list stays on the screen meanwhile.
pub async fn load_services(mut store: Store) {
    store.services.begin_load();
    match load_all_pages().await {
        Ok(services) => {
            let cached_since = api::cached_since();
            // A cached response is older than anything that was streamed since.
            if cached_since.is_none()
                || *store.services.loading.peek() != Loading::Ready
                || store.connection.cached_since.peek().is_some()
            {
                store.replace_services(services);
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

async fn load_all_pages() -> Result<Vec<Service>, Problem> {
    let mut services = Vec::new();
    let mut after = None;
    loop {
        let variables = ServicePageVariables { after };
        let page = api::request::<ListServices>(variables).await?.services_page;
        services.extend(page.edges.into_iter().map(|edge| edge.node));
        after = page.page_info.end_cursor;
        if !page.page_info.has_next_page || after.is_none() {
            return Ok(services);
        }
    }
}

/// Loads the uptime of every service, and lets the histories of visible ones be loaded again.
pub async fn load_uptimes(mut store: Store) {
    let mut after = None;
    while let Ok(response) = api::request::<ListUptimes>(ServicePageVariables { after }).await {
        let page = response.services_page;
        let uptimes = page.edges.into_iter().map(|edge| edge.node).collect();
        store.services.insert_uptimes(uptimes);
        after = page.page_info.end_cursor;
        if !page.page_info.has_next_page || after.is_none() {
            break;
        }
    }
    store.histories.invalidate_all();
}

/// Loads the histories of `ids` that were not requested yet, batch after batch.
pub async fn load_histories(mut store: Store, mut ids: Vec<Uuid>) {
    loop {
        ids.retain(|id| !store.histories.is_requested(*id));
        let batch: Vec<Uuid> = ids.iter().copied().take(HISTORY_BATCH).collect();
        if batch.is_empty() {
            return;
        }
        // Marked before the response is there, so that scrolling meanwhile does not request them
        // again.
        store.histories.mark_requested(&batch);
        let filter = ServiceFilter {
            ids: Some(batch.clone()),
        };
        match api::request::<ListHistories>(ListHistoriesVariables { filter }).await {
            Ok(response) => {
                let histories = response.services.into_iter().map(Into::into).collect();
                store.services.insert_histories(histories);
            }
            Err(_) => return store.histories.invalidate(&batch),
        }
    }
}

/// Loads the histories of services whose status has changed, if they were loaded before: one batch,
/// the others when they are next on the screen.
pub(super) async fn reload_histories(mut store: Store, changed: Vec<Uuid>) {
    let mut ids: Vec<Uuid> = changed
        .into_iter()
        .filter(|id| store.histories.is_requested(*id))
        .collect();
    store.histories.invalidate(&ids);
    ids.truncate(HISTORY_BATCH);
    load_histories(store, ids).await;
}
