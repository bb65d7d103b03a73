//! The window's title and icon: the view first, then what is wrong.

use crate::{
    Route,
    api::{IncidentState, Status},
    browser,
    router::use_route,
    store::{Session, Store, Summary, use_store},
};
use dioxus::prelude::*;
use uuid::Uuid;

const PRODUCT: &str = "PulseCheck";

/// Keeps title and icon current. Without a session they tell nothing of the services.
pub(super) fn use_title() {
    let store = use_store();
    let route = use_route();
    use_effect(use_reactive!(|(route,)| {
        let is_signed_out = *store.session.state.read() == Session::SignedOut;
        if is_signed_out {
            browser::set_title(&join(&["Sign in"]));
            browser::set_icon(None);
            return;
        }
        browser::set_title(&title(store, &route));
        browser::set_icon(Some(store.services.summary.read().worst().word()));
    }));
}

fn title(store: Store, route: &Route) -> String {
    let name = |id: Uuid| {
        let listed = store.services.listed.read();
        listed.get(&id).map(|service| service.name.clone())
    };
    let view = match route {
        Route::Service { id, .. } => {
            return match (name(*id), status_word(store, *id)) {
                (Some(name), Some(word)) => join(&[&name, word]),
                _ => join(&["Service"]),
            };
        }
        Route::Incident { id } => {
            let incidents = store.incidents.by_id.read();
            return match incidents.get(id) {
                Some(incident) if incident.state == IncidentState::Open => {
                    join(&[&incident.service.name, "open incident"])
                }
                Some(incident) => join(&[&incident.service.name, "resolved incident"]),
                None => join(&["Incident"]),
            };
        }
        Route::EditService { id } => match name(*id) {
            Some(name) => return join(&[&format!("Edit {name}")]),
            None => "Edit",
        },
        Route::Dashboard { .. } => "Dashboard",
        Route::NewService { .. } => "Add a service",
        Route::Incidents { .. } => "Incidents",
        Route::Settings {} => "Settings",
        Route::System {} => "System",
        Route::SignIn { .. } => "Sign in",
        Route::NotFound { .. } => "Page not found",
    };
    match trouble(&store.services.summary.read()) {
        Some(trouble) => join(&[view, &trouble]),
        None => join(&[view]),
    }
}

/// `down`, `paused`, or `checking` before the first result.
fn status_word(store: Store, id: Uuid) -> Option<&'static str> {
    let entry = store.services.entry(id)?;
    let current = entry.current.read();
    Some(match &*current {
        _ if entry.service.read().paused => "paused",
        Some(current) => current.status.word(),
        None => "checking",
    })
}

/// `2 down`.
fn trouble(summary: &Summary) -> Option<String> {
    match summary.worst() {
        Status::Down => Some(format!("{} down", summary.down.len())),
        Status::Degraded => Some(format!("{} degraded", summary.degraded.len())),
        _ => None,
    }
}

fn join(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.push(PRODUCT);
    parts.join(" - ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{incident, service, update, with_store};

    #[test]
    fn each_view_has_a_title_of_its_own_with_the_trouble() {
        with_store(|store| {
            let id = Uuid::from_u128(1);
            store.replace_services(vec![service(1, "Payments API"), service(2, "Blog")]);
            let title = |route: &Route| title(store, route);
            assert_eq!(
                title(&Route::service(id)),
                "Payments API - checking - PulseCheck"
            );
            assert_eq!(title(&Route::home()), "Dashboard - PulseCheck");
            store.apply_status(update(1, Status::Down, 1000));
            store.apply_incident(&incident(10, 1, IncidentState::Open));
            for (route, expected) in [
                (Route::service(id), "Payments API - down - PulseCheck"),
                (Route::home(), "Dashboard - 1 down - PulseCheck"),
                (Route::incidents(), "Incidents - 1 down - PulseCheck"),
                (
                    Route::Incident {
                        id: Uuid::from_u128(10),
                    },
                    "A - open incident - PulseCheck",
                ),
                (Route::EditService { id }, "Edit Payments API - PulseCheck"),
                (Route::new_service(), "Add a service - 1 down - PulseCheck"),
                (Route::Settings {}, "Settings - 1 down - PulseCheck"),
                (Route::System {}, "System - 1 down - PulseCheck"),
            ] {
                assert_eq!(title(&route), expected);
            }
        });
    }
}
