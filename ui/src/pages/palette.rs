//! The command palette: every service and every action by a few letters.

use crate::{
    Route,
    api::Status,
    browser,
    components::{Shape, icon, status_mark},
    list::ListQuery,
    pages::{preferences, service_list::use_list_view},
    palette::find,
    routes::use_route,
    shortcuts::HELP_ID,
    store::{self, Deed, Session, Store, use_store},
};
use dioxus::{core::spawn_forever, prelude::*};
use uuid::Uuid;

const PALETTE_ID: &str = "palette";
const INPUT_ID: &str = "palette-input";
/// So many findings are shown.
const MOST: usize = 40;

/// Whether the palette is open.
#[derive(Clone, Copy)]
pub(crate) struct Palette(Signal<bool>);

impl Palette {
    /// A closed one.
    pub(crate) fn new() -> Self {
        Self(Signal::new(false))
    }

    /// Opens it.
    pub(crate) fn open(mut self) {
        self.0.set(true);
    }

    fn close(mut self) {
        browser::close_dialog(PALETTE_ID);
        self.0.set(false);
    }
}

/// What a finding does.
#[derive(Debug, Clone, PartialEq)]
enum Act {
    Go(Route),
    Do(Deed),
    Delete(Uuid),
    Check(Uuid),
    Filter(Option<Status>),
    Theme(Option<&'static str>),
    Help,
}

/// A finding.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    text: String,
    /// In lower case, for comparing.
    folded: String,
    /// What stands behind it: the category, or the keys that do the same.
    hint: String,
    status: Option<(Status, bool)>,
    act: Act,
}

impl Found {
    fn action(text: impl Into<String>, hint: &str, act: Act) -> Self {
        let text = text.into();
        Self {
            folded: browser::lowercase(&text),
            text,
            hint: hint.to_owned(),
            status: None,
            act,
        }
    }
}

/// Every action that makes sense on this page.
fn actions(store: Store, route: &Route) -> Vec<Found> {
    let mut actions = Vec::new();
    let opened = match route {
        Route::Service { id, .. } | Route::EditService { id } => Some(*id),
        _ => None,
    };
    let listed = store.listed.peek();
    if let Some((id, service)) = opened.and_then(|id| Some((id, listed.get(&id)?))) {
        let name = &service.name;
        if service.paused {
            actions.push(Found::action(
                format!("Resume {name}"),
                "",
                Act::Do(Deed::Resume(vec![id])),
            ));
        } else {
            actions.push(Found::action(
                format!("Check {name} now"),
                "",
                Act::Check(id),
            ));
            actions.push(Found::action(
                format!("Pause {name}"),
                "",
                Act::Do(Deed::Pause(vec![id])),
            ));
        }
        actions.push(Found::action(
            format!("Edit {name}"),
            "",
            Act::Go(Route::EditService { id }),
        ));
        actions.push(Found::action(format!("Delete {name}"), "", Act::Delete(id)));
    }
    actions.extend([
        Found::action("Add a service", "n", Act::Go(Route::new_service())),
        Found::action("Go to the dashboard", "g d", Act::Go(Route::home())),
        Found::action("Go to incidents", "g i", Act::Go(Route::incidents())),
        Found::action("Go to settings", "g s", Act::Go(Route::Settings {})),
        Found::action(
            "Show only what is down",
            "",
            Act::Filter(Some(Status::Down)),
        ),
        Found::action(
            "Show only what is degraded",
            "",
            Act::Filter(Some(Status::Degraded)),
        ),
        Found::action("Show every service", "", Act::Filter(None)),
        Found::action("Theme: dark", "", Act::Theme(Some("dark"))),
        Found::action("Theme: light", "", Act::Theme(Some("light"))),
        Found::action("Theme: as the system", "", Act::Theme(None)),
        Found::action("Keyboard shortcuts", "?", Act::Help),
    ]);
    if matches!(&*store.session.peek(), Session::SignedIn(me) if me.operator) {
        actions.push(Found::action(
            "Go to the system",
            "",
            Act::Go(Route::System {}),
        ));
    }
    actions
}

/// Everything that fits what was typed: services before actions once anything is.
fn found(store: Store, route: &Route, typed: &str) -> Vec<Found> {
    let mut services: Vec<Found> = store
        .listed
        .peek()
        .iter()
        .map(|(id, service)| Found {
            text: service.name.clone(),
            folded: service.folded.clone(),
            hint: service.category.clone().unwrap_or_default(),
            status: Some((service.status, service.paused)),
            act: Act::Go(Route::service(*id)),
        })
        .collect();
    // What is in trouble stands first.
    let severity = |found: &Found| {
        found
            .status
            .filter(|(_, paused)| !paused)
            .map(|(status, _)| status.severity())
    };
    services.sort_by(|a, b| {
        severity(b)
            .cmp(&severity(a))
            .then_with(|| a.folded.cmp(&b.folded))
    });
    let mut actions = actions(store, route);
    let all = if typed.trim().is_empty() {
        actions.extend(services);
        actions
    } else {
        services.extend(actions);
        services
    };
    find(all, typed, MOST, |found| found.folded.clone())
}

/// The palette, while it is open.
#[component]
pub(crate) fn PaletteBox() -> Element {
    let palette = use_context::<Palette>();
    if !(palette.0)() {
        return VNode::empty();
    }
    rsx! { Opened {} }
}

#[component]
fn Opened() -> Element {
    let store = use_store();
    let palette = use_context::<Palette>();
    let view = use_list_view();
    let route = use_route();
    let mut typed = use_signal(String::new);
    // What it does, not its place: services come (the first ones may still be on their way) and go meanwhile.
    let mut at = use_signal(|| None::<Act>);
    // Found again when they do, but not as one changes: nothing moves under a finger.
    let services = use_memo(move || store.listed.read().keys().copied().collect::<Vec<_>>());
    services.read();
    let all = found(store, &route, &typed.read());
    let chosen = at
        .read()
        .as_ref()
        .and_then(|act| all.iter().position(|found| found.act == *act))
        .unwrap_or(0);
    use_effect(|| browser::open_dialog(PALETTE_ID));
    let perform = use_callback(move |act: Act| {
        palette.close();
        match act {
            Act::Go(route) => route.open(),
            Act::Do(deed) => store.carry_out(deed),
            Act::Delete(id) => {
                Route::home().open();
                store.carry_out(Deed::Delete(vec![id]));
            }
            Act::Check(id) => {
                spawn_forever(store::check_now(store, id));
            }
            Act::Filter(status) => {
                let list = ListQuery {
                    text: String::new(),
                    status,
                    ..view.query.peek().clone()
                };
                Route::Dashboard { list }.open();
            }
            Act::Theme(theme) => preferences::set_theme(theme),
            Act::Help => browser::open_dialog(HELP_ID),
        }
    });
    let keyed = all.clone();
    rsx! {
        dialog {
            id: PALETTE_ID,
            class: "dialog palette",
            "aria-label": "Command palette",
            // Only what lies outside of the box is the dialog itself.
            onclick: move |_| palette.close(),
            div { onclick: move |event| event.stop_propagation(),
                label { class: "filter",
                    {icon(Shape::Search)}
                    input {
                        id: INPUT_ID,
                        r#type: "text",
                        role: "combobox",
                        autocomplete: "off",
                        spellcheck: "false",
                        autofocus: true,
                        "aria-label": "Find a service or an action",
                        "aria-expanded": "true",
                        "aria-controls": "palette-list",
                        "aria-autocomplete": "list",
                        "aria-activedescendant": if all.is_empty() { None } else { Some(format!("found-{chosen}")) },
                        placeholder: "Find a service or an action",
                        value: "{typed}",
                        oninput: move |event| {
                            typed.set(event.value());
                            at.set(None);
                        },
                        onkeydown: move |event| {
                            let last = keyed.len().saturating_sub(1);
                            let to = match event.key() {
                                Key::ArrowDown => if chosen == last { 0 } else { chosen + 1 },
                                Key::ArrowUp => if chosen == 0 { last } else { chosen - 1 },
                                Key::Enter => {
                                    event.prevent_default();
                                    if let Some(found) = keyed.get(chosen) {
                                        perform.call(found.act.clone());
                                    }
                                    return;
                                }
                                Key::Escape => {
                                    event.prevent_default();
                                    return palette.close();
                                }
                                _ => return,
                            };
                            event.prevent_default();
                            at.set(keyed.get(to).map(|found| found.act.clone()));
                            browser::show(&format!("found-{to}"));
                        },
                    }
                }
                ul { id: "palette-list", class: "found", role: "listbox", "aria-label": "Services and actions",
                    for (place , found) in all.iter().cloned().enumerate() {
                        li {
                            key: "{place}",
                            id: "found-{place}",
                            role: "option",
                            "aria-selected": if place == chosen { "true" } else { "false" },
                            onclick: move |_| perform.call(found.act.clone()),
                            if let Some((status, paused)) = found.status {
                                {status_mark(status, paused)}
                                span { class: "unseen", {if paused { "paused" } else { status.word() }} }
                            } else {
                                {icon(Shape::Chevron)}
                            }
                            span { class: "name", "{found.text}" }
                            span { class: "dim", "{found.hint}" }
                        }
                    }
                }
                if all.is_empty() {
                    p { class: "dim nothing", role: "status", "Nothing fits." }
                }
            }
        }
    }
}
