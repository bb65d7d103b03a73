//! Which keys do what, wherever one is.

use crate::{
    Route,
    browser::{self, Key},
    pages::{ListView, Palette},
};
use dioxus::prelude::*;
use futures_channel::mpsc;
use futures_util::StreamExt;
use std::cell::Cell;

/// The filter's element.
pub(crate) const FILTER_ID: &str = "filter";
/// The list of shortcuts.
pub(crate) const HELP_ID: &str = "shortcuts";

/// Every shortcut with what it does, for the list of them.
pub(crate) const HELP: [(&str, &str); 13] = [
    ("Ctrl K", "Find a service or an action"),
    ("/", "Filter services"),
    ("j / ↓", "Next service"),
    ("k / ↑", "Previous service"),
    ("Enter", "Open the service"),
    ("x", "Select the service"),
    ("Shift X", "Select up to the service"),
    ("Esc", "Select nothing"),
    ("n", "Add a service"),
    ("g d", "Dashboard"),
    ("g i", "Incidents"),
    ("g s", "Settings"),
    ("?", "This list"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Palette,
    Filter,
    Next,
    Previous,
    Select {
        stretch: bool,
    },
    SelectNone,
    Open(Place),
    Help,
    /// The first key of a pair.
    Prefix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Dashboard,
    Incidents,
    Settings,
    NewService,
}

/// What `key` does; `after_g` is whether `g` was pressed just before.
fn act(key: &Key, after_g: bool) -> Option<Act> {
    if key.command && key.name.eq_ignore_ascii_case("k") {
        return Some(Act::Palette);
    }
    if key.modified {
        return None;
    }
    Some(match (key.name.as_str(), after_g) {
        ("d", true) => Act::Open(Place::Dashboard),
        ("i", true) => Act::Open(Place::Incidents),
        ("s", true) => Act::Open(Place::Settings),
        ("g", false) => Act::Prefix,
        ("n", false) => Act::Open(Place::NewService),
        ("/", _) => Act::Filter,
        ("j" | "ArrowDown", false) => Act::Next,
        ("k" | "ArrowUp", false) => Act::Previous,
        ("x", false) => Act::Select { stretch: false },
        ("X", false) => Act::Select { stretch: true },
        ("Escape", _) => Act::SelectNone,
        ("?", _) => Act::Help,
        _ => return None,
    })
}

/// Listens to the keys for as long as the calling component lives.
pub(crate) fn use_shortcuts() {
    let view = use_context::<ListView>();
    let palette = use_context::<Palette>();
    use_hook(|| {
        let (sender, mut acts) = mpsc::unbounded();
        let after_g = Cell::new(false);
        let listener = browser::listen_keys(move |key| {
            let act = act(&key, after_g.take());
            // In a dialog and in a text field keys mean themselves.
            if browser::in_dialog() || browser::is_typing() && act != Some(Act::Palette) {
                return false;
            }
            after_g.set(act == Some(Act::Prefix));
            // The arrows move the page where there is no row to move to.
            let arrow = key.name.starts_with("Arrow");
            match act {
                None | Some(Act::Prefix) => false,
                Some(Act::Next | Act::Previous) if arrow && !browser::in_rows() => false,
                Some(act) => sender.unbounded_send(act).is_ok() && act != Act::SelectNone,
            }
        });
        spawn(async move {
            while let Some(act) = acts.next().await {
                perform(act, view, palette);
            }
        });
        std::rc::Rc::new(listener)
    });
}

fn perform(act: Act, view: ListView, palette: Palette) {
    match act {
        Act::Palette => palette.open(),
        Act::Filter => browser::focus(FILTER_ID),
        Act::Next => view.step(true),
        Act::Previous => view.step(false),
        Act::Select { stretch } => {
            let cursor = *view.cursor.peek();
            if let Some(id) = cursor.filter(|_| browser::in_rows()) {
                view.choose(id, stretch);
            }
        }
        Act::SelectNone => {
            view.choose_none();
        }
        Act::Help => browser::open_dialog(HELP_ID),
        Act::Open(place) => {
            let route = match place {
                Place::Dashboard => Route::home(),
                Place::Incidents => Route::incidents(),
                Place::Settings => Route::Settings {},
                Place::NewService => Route::new_service(),
            };
            route.open();
        }
        Act::Prefix => {}
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
    fn pairs_begin_with_g() {
        assert_eq!(act(&key("d"), false), None);
        assert_eq!(act(&key("g"), false), Some(Act::Prefix));
        assert_eq!(act(&key("d"), true), Some(Act::Open(Place::Dashboard)));
        assert_eq!(act(&key("n"), true), None);
    }

    #[test]
    fn the_browsers_own_shortcuts_stay_its_own() {
        assert_eq!(
            act(
                &Key {
                    modified: true,
                    ..key("n")
                },
                false
            ),
            None
        );
        assert_eq!(
            act(
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
    fn the_palette_opens_by_control_or_command() {
        assert_eq!(
            act(
                &Key {
                    modified: true,
                    command: true,
                    ..key("K")
                },
                false
            ),
            Some(Act::Palette)
        );
        assert_eq!(
            act(
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
