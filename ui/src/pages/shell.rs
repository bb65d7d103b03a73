//! What stands around every page: navigation, the state of the connection, messages.

use crate::{
    Route,
    api::Status,
    browser,
    browser::TimeStyle,
    components::{Go, Icon, ProblemBox, Shape, TipLayer},
    pages::{app, sign_in::SignIn},
    shortcuts::{self, HELP, HELP_ID},
    store::{Connection, Session, Summary, Tone, use_store},
};
use dioxus::{core::spawn_forever, prelude::*};

/// The frame; without somebody signed in, the way in.
#[component]
pub fn Shell() -> Element {
    let store = use_store();
    let route = use_route::<Route>();
    shortcuts::use_shortcuts();
    use_effect(move || {
        let summary = Summary::of(store.listed.read().values());
        let title = match summary.worst() {
            Status::Down => format!("({} down) PulseCheck", summary.down.len()),
            Status::Degraded => format!("({} degraded) PulseCheck", summary.degraded.len()),
            _ => "PulseCheck".to_owned(),
        };
        browser::set_title(&title);
    });
    let session = store.session.read();
    match &*session {
        // Whatever the address is; only that of the sign-in page says why it did not work.
        Session::SignedOut => {
            let error = match route {
                Route::SignIn { query } => query.error,
                _ => None,
            };
            rsx! {
                SignIn { error }
            }
        }
        Session::Unreachable(problem) => rsx! {
            main { class: "alone",
                ProblemBox {
                    problem: problem.clone(),
                    onretry: move |()| {
                        spawn_forever(app::identify(store));
                    },
                }
            }
        },
        Session::Asking | Session::SignedIn(_) => rsx! {
            a { class: "skip", href: "#content", "Skip to the content" }
            TopBar {}
            ConnectionBar {}
            main { id: "content", tabindex: "-1", Outlet::<Route> {} }
            BottomBar {}
            Messages {}
            TipLayer {}
            Shortcuts {}
        },
    }
}

/// Where one can go: address, name, picture, and whether one is there.
fn places(route: &Route) -> [(Route, &'static str, Shape, bool); 3] {
    let at_incidents = matches!(route, Route::Incidents { .. } | Route::Incident { .. });
    let at_settings = matches!(route, Route::Settings {});
    let at_dashboard = !at_incidents && !at_settings && !matches!(route, Route::Lost { .. });
    [
        (Route::home(), "Dashboard", Shape::Dashboard, at_dashboard),
        (Route::incidents(), "Incidents", Shape::Incidents, at_incidents),
        (Route::Settings {}, "Settings", Shape::Settings, at_settings),
    ]
}

#[component]
fn TopBar() -> Element {
    let store = use_store();
    let route = use_route::<Route>();
    let open = store.open.read().len();
    rsx! {
        header { class: "top",
            Go { class: "brand", to: Route::home(), Icon { shape: Shape::Brand } "PulseCheck" }
            nav { "aria-label": "Main",
                for (to , name , _ , current) in places(&route) {
                    Go { key: "{name}", to, current,
                        "{name}"
                        if name == "Incidents" && open > 0 {
                            span { class: "count", "aria-label": "{open} open", "{open}" }
                        }
                    }
                }
            }
            LiveMark {}
            Go { class: "button primary", to: Route::new_service(), Icon { shape: Shape::Plus } "Add service" }
        }
    }
}

#[component]
fn BottomBar() -> Element {
    let route = use_route::<Route>();
    rsx! {
        nav { class: "bottom", "aria-label": "Main",
            for (to , name , shape , current) in places(&route) {
                Go { key: "{name}", to, current,
                    Icon { shape }
                    "{name}"
                }
            }
            Go { to: Route::new_service(), current: matches!(route, Route::NewService { .. }), Icon { shape: Shape::Plus } "Add" }
        }
    }
}

/// Whether what is shown is current.
#[component]
fn LiveMark() -> Element {
    let (class, word) = match (use_store().connection)() {
        Connection::Live => ("live on", "Live"),
        Connection::Connecting => ("live", "Connecting"),
        Connection::Lost(_) => ("live off", "Offline"),
    };
    rsx! {
        span { class, title: "Whether changes arrive as they happen", {word} }
    }
}

#[component]
fn ConnectionBar() -> Element {
    let Connection::Lost(since) = (use_store().connection)() else { return VNode::empty() };
    rsx! {
        div { class: "lost", role: "status",
            "Connection lost at {browser::local_time(since, TimeStyle::Time)}, showing the last known state. Reconnecting…"
        }
    }
}

/// What is said for a moment, and what is said only to those who do not see the page.
#[component]
fn Messages() -> Element {
    let store = use_store();
    rsx! {
        div { class: "notices", role: "status",
            for notice in store.notices.read().iter().cloned() {
                div { key: "{notice.number}", class: if notice.tone == Tone::Failed { "notice failed" } else { "notice" },
                    span { "{notice.text}" }
                    button { class: "plain", r#type: "button", "aria-label": "Dismiss", onclick: move |_| store.dismiss(notice.number),
                        Icon { shape: Shape::Close }
                    }
                }
            }
        }
        div { class: "unseen", "aria-live": "polite", "{store.announcement}" }
    }
}

#[component]
fn Shortcuts() -> Element {
    rsx! {
        dialog { id: HELP_ID, class: "dialog", "aria-labelledby": "shortcuts-title",
            h2 { id: "shortcuts-title", "Keyboard" }
            dl { class: "keys",
                for (key , does) in HELP {
                    div { key: "{key}",
                        dt { kbd { {key} } }
                        dd { {does} }
                    }
                }
            }
            div { class: "actions",
                button { class: "button", r#type: "button", onclick: move |_| browser::close_dialog(HELP_ID), "Close" }
            }
        }
    }
}
