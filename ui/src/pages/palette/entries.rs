//! What the command palette offers: services, pages and actions.

use crate::{
    Route,
    api::Status,
    browser,
    fuzzy_search::search,
    name_order::sort_by_name,
    store::{ServiceAction, Session, Store},
};
use dioxus::prelude::*;
use std::cmp::Reverse;
use uuid::Uuid;

/// Maximum number of entries that are shown.
const MAX_ENTRIES: usize = 40;

/// What an entry does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    Open(Route),
    Dispatch(ServiceAction),
    Delete(Uuid),
    CheckNow(Uuid),
    Filter(Option<Status>),
    SetTheme(Option<&'static str>),
    ShowShortcuts,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct PaletteEntry {
    pub(super) text: String,
    lowercase_text: String,
    /// The category of a service, or the shortcut of an action.
    pub(super) hint: String,
    /// A service's status, and whether it is paused.
    pub(super) status: Option<(Status, bool)>,
    pub(super) command: Command,
}

impl PaletteEntry {
    fn action(text: impl Into<String>, hint: &str, command: Command) -> Self {
        let text = text.into();
        Self {
            lowercase_text: browser::lowercase(&text),
            text,
            hint: hint.to_owned(),
            status: None,
            command,
        }
    }

    /// Returns the severity; `None` for actions and paused services.
    fn severity(&self) -> Option<u8> {
        self.status
            .filter(|(_, paused)| !paused)
            .map(|(status, _)| status.severity())
    }
}

/// Returns the entries that match, best match first. Services come before actions, unless nothing
/// was typed.
pub(super) fn find_entries(store: Store, route: &Route, typed: &str) -> Vec<PaletteEntry> {
    let mut services = services(store);
    let mut actions = service_actions(store, route);
    actions.extend(general_actions(store));
    let all = if typed.trim().is_empty() {
        actions.extend(services);
        actions
    } else {
        services.extend(actions);
        services
    };
    search(all, typed, MAX_ENTRIES, |entry| {
        entry.lowercase_text.clone()
    })
}

/// Returns all services, worst status first.
fn services(store: Store) -> Vec<PaletteEntry> {
    let listed = store.services.listed.peek();
    let mut services: Vec<_> = listed
        .iter()
        .map(|(id, service)| PaletteEntry {
            text: service.name.clone(),
            lowercase_text: service.lowercase_name.clone(),
            hint: service.category.clone().unwrap_or_default(),
            status: Some((service.status, service.paused)),
            command: Command::Open(Route::service(*id)),
        })
        .collect();
    sort_by_name(&mut services, |entry| &entry.text);
    services.sort_by_key(|entry| Reverse(entry.severity()));
    services
}

/// Returns the actions on the service whose page is open.
fn service_actions(store: Store, route: &Route) -> Vec<PaletteEntry> {
    let listed = store.services.listed.peek();
    let Some((id, service)) = route
        .opened_service()
        .and_then(|id| Some((id, listed.get(&id)?)))
    else {
        return Vec::new();
    };
    let name = &service.name;
    let action = |text: String, command| PaletteEntry::action(text, "", command);
    let mut actions = Vec::new();
    if service.paused {
        let resume = Command::Dispatch(ServiceAction::Resume(vec![id]));
        actions.push(action(format!("Resume {name}"), resume));
    } else {
        let pause = Command::Dispatch(ServiceAction::Pause(vec![id]));
        actions.push(action(format!("Check {name} now"), Command::CheckNow(id)));
        actions.push(action(format!("Pause {name}"), pause));
    }
    let edit = Command::Open(Route::EditService { id });
    actions.push(action(format!("Edit {name}"), edit));
    actions.push(action(format!("Delete {name}"), Command::Delete(id)));
    actions
}

fn general_actions(store: Store) -> Vec<PaletteEntry> {
    use Command::{Filter, Open, SetTheme, ShowShortcuts};
    let action = |text: &str, hint, command| PaletteEntry::action(text, hint, command);
    let mut actions = vec![
        action("Add a service", "n", Open(Route::new_service())),
        action("Go to the dashboard", "g d", Open(Route::home())),
        action("Go to incidents", "g i", Open(Route::incidents())),
        action("Go to settings", "g s", Open(Route::Settings {})),
        action("Filter: down", "", Filter(Some(Status::Down))),
        action("Filter: degraded", "", Filter(Some(Status::Degraded))),
        action("Clear filter", "", Filter(None)),
        action("Theme: dark", "", SetTheme(Some("dark"))),
        action("Theme: light", "", SetTheme(Some("light"))),
        action("Theme: system", "", SetTheme(None)),
        action("Keyboard shortcuts", "?", ShowShortcuts),
    ];
    if matches!(&*store.session.state.peek(), Session::SignedIn(me) if me.operator) {
        actions.push(action("Go to System", "", Open(Route::System {})));
    }
    actions
}
