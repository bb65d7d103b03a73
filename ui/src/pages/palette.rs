//! The command palette: finds services and actions by a few letters.

mod entries;
pub(crate) mod state;

use crate::{
    Route, browser,
    components::{Icon, icon, status_mark},
    list::{ListQuery, use_list_view},
    pages::{preferences, shortcuts::SHORTCUTS_ID},
    router::use_route,
    store::{self, ServiceAction, use_store},
};
use dioxus::{core::spawn_forever, prelude::*};
use entries::{Command, PaletteEntry, find_entries};
use state::{PALETTE_ID, PaletteState};

/// The palette, while it is open.
#[component]
pub(crate) fn Palette() -> Element {
    if !use_context::<PaletteState>().is_open() {
        return VNode::empty();
    }
    rsx! { PaletteDialog {} }
}

#[component]
fn PaletteDialog() -> Element {
    let store = use_store();
    let palette = use_context::<PaletteState>();
    let route = use_route();
    let typed = use_signal(String::new);
    // The command and not its index, because services may be added and removed meanwhile.
    let selected = use_signal(|| None::<Command>);
    // Search again when services are added or removed, but not when one changes: rows must not move
    // under the pointer.
    let ids = use_memo(move || {
        store
            .services
            .listed
            .read()
            .keys()
            .copied()
            .collect::<Vec<_>>()
    });
    ids.read();
    let entries = find_entries(store, &route, &typed.read());
    let selected_index = selected
        .read()
        .as_ref()
        .and_then(|command| entries.iter().position(|entry| entry.command == *command))
        .unwrap_or(0);
    use_effect(|| browser::open_dialog(PALETTE_ID));
    let run = use_run_command(palette);
    rsx! {
        dialog {
            id: PALETTE_ID,
            class: "dialog palette",
            "aria-label": "Command palette",
            // Clicks inside do not bubble up to here, so this is a click on the backdrop.
            onclick: move |_| palette.close(),
            div { onclick: move |event| event.stop_propagation(),
                SearchField { typed, selected, entries: entries.clone(), selected_index, onrun: run, onclose: move |()| palette.close() }
                ul { id: "palette-list", class: "found", role: "listbox", "aria-label": "Services and actions",
                    for (index , entry) in entries.iter().cloned().enumerate() {
                        li {
                            key: "{index}",
                            id: "found-{index}",
                            role: "option",
                            "aria-selected": if index == selected_index { "true" } else { "false" },
                            onclick: move |_| run.call(entry.command.clone()),
                            if let Some((status, paused)) = entry.status {
                                {status_mark(status, paused)}
                                span { class: "unseen", {if paused { "paused" } else { status.word() }} }
                            } else {
                                {icon(Icon::Chevron)}
                            }
                            span { class: "name", "{entry.text}" }
                            span { class: "dim", "{entry.hint}" }
                        }
                    }
                }
                if entries.is_empty() {
                    p { class: "dim nothing", role: "status", "No results." }
                }
            }
        }
    }
}

#[component]
fn SearchField(
    typed: Signal<String>,
    selected: Signal<Option<Command>>,
    entries: Vec<PaletteEntry>,
    selected_index: usize,
    onrun: EventHandler<Command>,
    onclose: EventHandler<()>,
) -> Element {
    let active = (!entries.is_empty()).then(|| format!("found-{selected_index}"));
    rsx! {
        label { class: "filter",
            {icon(Icon::Search)}
            input {
                id: "palette-input",
                r#type: "text",
                role: "combobox",
                autocomplete: "off",
                spellcheck: "false",
                autofocus: true,
                "aria-label": "Find a service or an action",
                "aria-expanded": "true",
                "aria-controls": "palette-list",
                "aria-autocomplete": "list",
                "aria-activedescendant": active,
                placeholder: "Find a service or an action",
                value: "{typed}",
                oninput: move |event| {
                    typed.set(event.value());
                    selected.set(None);
                },
                onkeydown: move |event| {
                    let last = entries.len().saturating_sub(1);
                    let next = match event.key() {
                        Key::ArrowDown => if selected_index == last { 0 } else { selected_index + 1 },
                        Key::ArrowUp => if selected_index == 0 { last } else { selected_index - 1 },
                        Key::Enter => {
                            event.prevent_default();
                            if let Some(entry) = entries.get(selected_index) {
                                onrun.call(entry.command.clone());
                            }
                            return;
                        }
                        Key::Escape => {
                            event.prevent_default();
                            return onclose.call(());
                        }
                        _ => return,
                    };
                    event.prevent_default();
                    selected.set(entries.get(next).map(|entry| entry.command.clone()));
                    browser::scroll_into_view(&format!("found-{next}"));
                },
            }
        }
    }
}

/// Returns a callback that closes the palette and runs a command.
fn use_run_command(palette: PaletteState) -> Callback<Command> {
    let store = use_store();
    let view = use_list_view();
    use_callback(move |command: Command| {
        palette.close();
        match command {
            Command::Open(route) => route.open(),
            Command::Dispatch(action) => store.dispatch(action),
            Command::Delete(id) => {
                Route::home().open();
                store.dispatch(ServiceAction::Delete(vec![id]));
            }
            Command::CheckNow(id) => {
                spawn_forever(store::check_now(store, id));
            }
            Command::Filter(status) => {
                let list = ListQuery {
                    text: String::new(),
                    status,
                    ..view.query.peek().clone()
                };
                Route::Dashboard { list }.open();
            }
            Command::SetTheme(theme) => preferences::set_theme(theme),
            Command::ShowShortcuts => browser::open_dialog(SHORTCUTS_ID),
        }
    })
}
