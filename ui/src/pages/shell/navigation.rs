//! The navigation bars.

use crate::{
    Route,
    components::{Icon, Link, icon},
    pages::{account::AccountMenu, palette::state::PaletteState},
    router::use_route,
    store::{Connection, use_store},
};
use dioxus::prelude::*;

struct NavItem {
    route: Route,
    name: &'static str,
    icon: Icon,
    is_current: bool,
}

fn nav_items(route: &Route) -> [NavItem; 3] {
    let is_incidents = matches!(route, Route::Incidents { .. } | Route::Incident { .. });
    let is_settings = matches!(route, Route::Settings {});
    let is_dashboard = !is_incidents
        && !is_settings
        && !matches!(route, Route::System {} | Route::NotFound { .. });
    [
        NavItem {
            route: Route::home(),
            name: "Dashboard",
            icon: Icon::Dashboard,
            is_current: is_dashboard,
        },
        NavItem {
            route: Route::incidents(),
            name: "Incidents",
            icon: Icon::Incidents,
            is_current: is_incidents,
        },
        NavItem {
            route: Route::Settings {},
            name: "Settings",
            icon: Icon::Settings,
            is_current: is_settings,
        },
    ]
}

/// The bar of wide screens.
#[component]
pub(super) fn TopBar() -> Element {
    let store = use_store();
    let route = use_route();
    let open = store.incidents.open.read().len();
    rsx! {
        header { class: "top",
            Link { class: "brand", to: Route::home(), {icon(Icon::Brand)} "PulseCheck" }
            nav { "aria-label": "Main",
                for item in nav_items(&route) {
                    Link { key: "{item.name}", to: item.route, current: item.is_current,
                        "{item.name}"
                        if item.name == "Incidents" && open > 0 {
                            span { class: "count", "aria-label": "{open} open", "{open}" }
                        }
                    }
                }
            }
            LiveIndicator {}
            PaletteButton {}
            Link { class: "button primary", to: Route::new_service(), {icon(Icon::Plus)} "Add service" }
            AccountMenu {}
        }
    }
}

/// The bar of narrow screens.
#[component]
pub(super) fn BottomBar() -> Element {
    let route = use_route();
    let palette = use_context::<PaletteState>();
    // This bar has an entry of its own for the form, which the wide one shows beside the list.
    let is_new = matches!(route, Route::NewService { .. });
    rsx! {
        nav { class: "bottom", "aria-label": "Main",
            for item in nav_items(&route) {
                Link { key: "{item.name}", to: item.route, current: item.is_current && !is_new,
                    {icon(item.icon)}
                    "{item.name}"
                }
            }
            button { r#type: "button", onclick: move |_| palette.open(),
                {icon(Icon::Search)}
                "Find"
            }
            Link { to: Route::new_service(), current: is_new, {icon(Icon::Plus)} "Add" }
        }
    }
}

#[component]
fn PaletteButton() -> Element {
    let palette = use_context::<PaletteState>();
    rsx! {
        button {
            class: "button find",
            r#type: "button",
            "aria-keyshortcuts": "Control+K Meta+K",
            onclick: move |_| palette.open(),
            {icon(Icon::Search)}
            span { class: "unseen", "Find a service or an action" }
            kbd { "aria-hidden": "true", "Ctrl K" }
        }
    }
}

#[component]
fn LiveIndicator() -> Element {
    let (class, word, title) = match (use_store().connection.state)() {
        Connection::Live => ("live on", "Live", "Connected. Updates appear instantly."),
        Connection::Connecting => ("live", "Connecting", "Connecting to the server."),
        Connection::Lost(_) => ("live off", "Offline", "Disconnected. Reconnecting."),
    };
    rsx! {
        span { class, title, {word} }
    }
}
