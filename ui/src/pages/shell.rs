//! The frame around every page: navigation, connection state, toasts. Without a session, the
//! sign-in page.

mod connection;
mod navigation;
mod shortcuts_dialog;
mod title;
mod toasts;

use crate::{
    Route, browser,
    components::{ProblemBox, TooltipLayer},
    list::{row_id, use_list_view},
    pages::{
        incident::IncidentPage,
        incidents::IncidentsPage,
        not_found::NotFound,
        palette::Palette,
        session::load_session,
        settings::SettingsPage,
        shortcuts,
        sign_in::{SignIn, SignInPage},
        split::Split,
        system::SystemPage,
    },
    router::{SignInQuery, use_route},
    store::{Session, use_store},
};
use connection::ConnectionBar;
use dioxus::{core::spawn_forever, prelude::*};
use navigation::{BottomBar, TopBar};
use shortcuts_dialog::ShortcutsDialog;
use toasts::Toasts;

#[component]
pub fn Shell() -> Element {
    let store = use_store();
    let route = use_route();
    shortcuts::use_shortcuts();
    title::use_title();
    use_focus_restoration(&route);
    let zone_revision = (store.zone_revision)();
    let session = store.session.state.read();
    match &*session {
        // Whatever the URL is. Only the sign-in page's own URL carries an error.
        Session::SignedOut => {
            let url = route.url();
            let (query, return_to) = match route {
                Route::SignIn { query } => (query, "/".to_owned()),
                _ => (SignInQuery::default(), url),
            };
            rsx! {
                SignIn { query, return_to }
            }
        }
        Session::Unreachable(problem) => rsx! {
            main { class: "alone",
                ProblemBox {
                    problem: problem.clone(),
                    onretry: move |()| {
                        spawn_forever(load_session(store));
                    },
                }
            }
        },
        Session::Loading | Session::SignedIn(_) => rsx! {
            a { class: "skip", href: "#content", "Skip to the content" }
            TopBar {}
            ConnectionBar {}
            main { id: "content", tabindex: "-1",
                // The key renders the page again when the time zone or language changes, because
                // times are everywhere.
                for revision in [zone_revision] {
                    Page { key: "{revision}" }
                }
            }
            BottomBar {}
            Toasts {}
            TooltipLayer {}
            ShortcutsDialog {}
            Palette {}
        },
    }
}

/// The page of the current route.
#[component]
fn Page() -> Element {
    match use_route() {
        route if route.is_beside_list() => rsx! { Split {} },
        Route::Incidents { filter } => rsx! { IncidentsPage { filter } },
        Route::Incident { id } => rsx! { IncidentPage { id } },
        Route::Settings {} => rsx! { SettingsPage {} },
        Route::System {} => rsx! { SystemPage {} },
        Route::SignIn { query } => rsx! { SignInPage { query } },
        Route::NotFound { path } => rsx! { NotFound { path } },
        _ => VNode::empty(),
    }
}

/// After a navigation that removed the focused element, focuses the row that was opened, or else
/// the page.
fn use_focus_restoration(route: &Route) {
    let view = use_list_view();
    let is_list = matches!(route, Route::Dashboard { .. });
    let url = route.url();
    let path = url.split('?').next().unwrap_or_default().to_owned();
    use_effect(use_reactive!(|(path,)| {
        let _ = path;
        let row = view.cursor.peek().filter(|_| is_list);
        if !row.is_some_and(|id| browser::focus_if_lost(&row_id(id))) {
            browser::focus_if_lost("content");
        }
    }));
}
