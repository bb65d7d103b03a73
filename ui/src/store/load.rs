//! What is asked for about all services, and about those in sight.

use super::{Loading, Session, Store, put};
use crate::api::{
    self, ListHistories, ListServices, ListServicesVariables, ListUptimes, OfServices, Problem,
    ProblemKind, Service, ServiceFilter,
};
use dioxus::prelude::*;
use uuid::Uuid;

/// Of so many services the days are asked for at a time.
const AT_ONCE: usize = 100;

/// Asks for every service. What is known already stays on the screen meanwhile.
pub async fn load(mut store: Store) {
    match load_all_pages().await {
        Ok(services) => {
            let kept = api::kept_since();
            // What was kept for times without a connection is older than anything that was told since.
            if kept.is_none()
                || *store.loading.peek() != Loading::Ready
                || store.kept.peek().is_some()
            {
                store.fill(services);
                put(store.kept, kept);
            }
        }
        Err(problem) if problem.kind == ProblemKind::SignedOut => {
            store.session.set(Session::SignedOut)
        }
        Err(problem) if *store.loading.peek() != Loading::Ready => {
            put(store.loading, Loading::Failed(problem))
        }
        // The bar about the lost connection tells it already.
        Err(_) => {}
    }
}

/// Loads every page of the list of services.
async fn load_all_pages() -> Result<Vec<Service>, Problem> {
    let mut services = Vec::new();
    let mut after = None;
    loop {
        let list = api::request::<ListServices>(ListServicesVariables { after }).await?;
        let page = list.services_page;
        services.extend(page.edges.into_iter().map(|edge| edge.node));
        after = page.page_info.end_cursor;
        if !page.page_info.has_next_page || after.is_none() {
            return Ok(services);
        }
    }
}

/// Asks for the uptime of every service, and lets the days of those in sight be asked for again.
pub async fn load_uptimes(mut store: Store) {
    if let Ok(list) = api::request::<ListUptimes>(()).await {
        store.fill_uptimes(list.services);
    }
    store.days_known.write().clear();
    store.days_round += 1;
}

/// Asks for the last 30 days and the last 24 hours of those of `ids` whose days are not known, or were told long ago.
pub async fn load_days(mut store: Store, mut ids: Vec<Uuid>) {
    ids.retain(|id| !store.days_known.read().contains(id));
    ids.truncate(AT_ONCE);
    if ids.is_empty() {
        return;
    }
    // Written down before the answer is there, so that a scroll meanwhile does not ask again.
    store.days_known.write().extend(ids.iter().copied());
    let filter = ServiceFilter {
        ids: Some(ids.clone()),
    };
    match api::request::<ListHistories>(OfServices { filter }).await {
        Ok(list) => store.fill_histories(list.services.into_iter().map(Into::into).collect()),
        Err(_) => store.days_known.write().retain(|id| !ids.contains(id)),
    }
}

/// Asks for the days of those whose status has just changed, as far as anybody has looked at them.
pub(super) async fn refresh_days(mut store: Store, changed: Vec<Uuid>) {
    let seen: Vec<Uuid> = changed
        .into_iter()
        .filter(|id| store.days_known.read().contains(id))
        .collect();
    store.days_known.write().retain(|id| !seen.contains(id));
    load_days(store, seen).await;
}
