//! Keyboard shortcuts.

use crate::{
    Route,
    browser::{self, Key},
    list::{ListView, use_list_view},
    pages::palette::state::PaletteState,
};
use dioxus::prelude::*;
use futures_channel::mpsc;
use futures_util::StreamExt;
use std::cell::Cell;

/// The id of the filter's input.
pub(crate) const FILTER_ID: &str = "filter";
/// The id of the dialog that lists the shortcuts.
pub(crate) const SHORTCUTS_ID: &str = "shortcuts";

/// Keys and description of every shortcut, for the dialog.
pub(crate) const SHORTCUTS: [(&str, &str); 13] = [
    ("Ctrl K", "Find a service or an action"),
    ("/", "Filter services"),
    ("j / ↓", "Next service"),
    ("k / ↑", "Previous service"),
    ("Enter", "Open the service"),
    ("x", "Select the service"),
    ("Shift X", "Select up to the service"),
    ("Esc", "Clear the selection"),
    ("n", "Add a service"),
    ("g d", "Dashboard"),
    ("g i", "Incidents"),
    ("g s", "Settings"),
    ("?", "Keyboard shortcuts"),
];

#[derive(Debug, Clone, PartialEq)]
enum Shortcut {
    OpenPalette,
    FocusFilter,
    NextRow,
    PreviousRow,
    Select {
        range: bool,
    },
    ClearSelection,
    Open(Route),
    ShowShortcuts,
    /// The first key of a pair.
    Prefix,
}

/// Returns what a key does; `after_g` is whether `g` was pressed just before.
fn command_for(key: &Key, after_g: bool) -> Option<Shortcut> {
    if key.command && key.name.eq_ignore_ascii_case("k") {
        return Some(Shortcut::OpenPalette);
    }
    if key.modified {
        return None;
    }
    Some(match (key.name.as_str(), after_g) {
        ("d", true) => Shortcut::Open(Route::home()),
        ("i", true) => Shortcut::Open(Route::incidents()),
        ("s", true) => Shortcut::Open(Route::Settings {}),
        ("g", false) => Shortcut::Prefix,
        ("n", false) => Shortcut::Open(Route::new_service()),
        ("/", _) => Shortcut::FocusFilter,
        ("j" | "ArrowDown", false) => Shortcut::NextRow,
        ("k" | "ArrowUp", false) => Shortcut::PreviousRow,
        ("x", false) => Shortcut::Select { range: false },
        ("X", false) => Shortcut::Select { range: true },
        ("Escape", _) => Shortcut::ClearSelection,
        ("?", _) => Shortcut::ShowShortcuts,
        _ => return None,
    })
}

/// Handles the keys while the calling component is mounted.
pub(crate) fn use_shortcuts() {
    let view = use_list_view();
    let palette = use_context::<PaletteState>();
    use_hook(|| {
        let (sender, mut shortcuts) = mpsc::unbounded();
        let after_g = Cell::new(false);
        let listener = browser::listen_keys(move |key| {
            let shortcut = command_for(&key, after_g.take());
            // Dialogs and text fields handle their keys themselves.
            let is_palette = shortcut == Some(Shortcut::OpenPalette);
            if browser::is_dialog_open() || browser::is_typing() && !is_palette {
                return false;
            }
            after_g.set(shortcut == Some(Shortcut::Prefix));
            // Outside of the list the arrow keys scroll the page.
            let is_arrow = key.name.starts_with("Arrow");
            match shortcut {
                None | Some(Shortcut::Prefix) => false,
                Some(Shortcut::NextRow | Shortcut::PreviousRow)
                    if is_arrow && !browser::is_focus_in_rows() =>
                {
                    false
                }
                Some(shortcut) => {
                    let is_handled = shortcut != Shortcut::ClearSelection;
                    sender.unbounded_send(shortcut).is_ok() && is_handled
                }
            }
        });
        spawn(async move {
            while let Some(shortcut) = shortcuts.next().await {
                run(shortcut, view, palette);
            }
        });
        std::rc::Rc::new(listener)
    });
}

fn run(shortcut: Shortcut, view: ListView, palette: PaletteState) {
    match shortcut {
        Shortcut::OpenPalette => palette.open(),
        Shortcut::FocusFilter => browser::focus(FILTER_ID),
        Shortcut::NextRow => view.move_focus(true),
        Shortcut::PreviousRow => view.move_focus(false),
        Shortcut::Select { range } => {
            let cursor = *view.cursor.peek();
            if let Some(id) = cursor.filter(|_| browser::is_focus_in_rows()) {
                view.select(id, range);
            }
        }
        Shortcut::ClearSelection => {
            view.clear_selection();
        }
        Shortcut::ShowShortcuts => browser::open_dialog(SHORTCUTS_ID),
        Shortcut::Open(route) => route.open(),
        Shortcut::Prefix => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key {
            name: name.into(),
            modified: false,
            command: false,
        }
    }

    #[test]
    fn pairs_of_keys_start_with_g() {
        assert_eq!(command_for(&key("d"), false), None);
        assert_eq!(command_for(&key("g"), false), Some(Shortcut::Prefix));
        assert_eq!(
            command_for(&key("d"), true),
            Some(Shortcut::Open(Route::home()))
        );
        assert_eq!(command_for(&key("n"), true), None);
    }

    #[test]
    fn the_browsers_shortcuts_are_left_alone() {
        assert_eq!(
            command_for(
                &Key {
                    modified: true,
                    ..key("n")
                },
                false
            ),
            None
        );
        assert_eq!(
            command_for(
                &Key {
                    modified: true,
                    command: true,
                    ..key("j")
                },
                false
            ),
            None
        );
    }

    #[test]
    fn control_k_and_command_k_open_the_palette() {
        assert_eq!(
            command_for(
                &Key {
                    modified: true,
                    command: true,
                    ..key("K")
                },
                false
            ),
            Some(Shortcut::OpenPalette)
        );
        assert_eq!(
            command_for(
                &Key {
                    modified: true,
                    ..key("k")
                },
                false
            ),
            None
        );
    }
}
