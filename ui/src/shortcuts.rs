//! Which keys do what, wherever one is.

use crate::{
    Route,
    browser::{self, Key},
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
pub(crate) const HELP: [(&str, &str); 9] = [
    ("/", "Filter services"),
    ("j / ↓", "Next service"),
    ("k / ↑", "Previous service"),
    ("Enter", "Open the service"),
    ("n", "Add a service"),
    ("g d", "Dashboard"),
    ("g i", "Incidents"),
    ("g s", "Settings"),
    ("?", "This list"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Filter,
    Next,
    Previous,
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
        ("?", _) => Act::Help,
        _ => return None,
    })
}

/// Listens to the keys for as long as the calling component lives.
pub(crate) fn use_shortcuts() {
    use_hook(|| {
        let (sender, mut acts) = mpsc::unbounded();
        let after_g = Cell::new(false);
        let listener = browser::listen_keys(move |key| {
            if browser::is_typing() {
                return false;
            }
            let act = act(&key, after_g.replace(false));
            after_g.set(act == Some(Act::Prefix));
            // The arrows move the page where there is no row to move to.
            let in_rows = browser::focused_row().is_some();
            match act {
                None | Some(Act::Prefix) => false,
                Some(Act::Next | Act::Previous) if !in_rows && key.name.starts_with("Arrow") => false,
                Some(act) => sender.unbounded_send(act).is_ok(),
            }
        });
        spawn(async move {
            while let Some(act) = acts.next().await {
                perform(act);
            }
        });
        std::rc::Rc::new(listener)
    });
}

fn perform(act: Act) {
    match act {
        Act::Filter => browser::focus(FILTER_ID),
        Act::Next => browser::focus_row(browser::focused_row().map_or(0, |row| row + 1)),
        Act::Previous => browser::focus_row(browser::focused_row().map_or(0, |row| row.saturating_sub(1))),
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
        Key { name: name.into(), modified: false }
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
        assert_eq!(act(&Key { name: "n".into(), modified: true }, false), None);
    }
}
