//! What stands around every page: navigation, the state of the connection, messages.

use crate::{
    Route,
    api::{Moment, Status},
    browser,
    browser::TimeStyle,
    components::{Go, ProblemBox, Shape, TipLayer, icon},
    pages::{
        account::AccountMenu,
        app,
        palette::{Palette, PaletteBox},
        service_list::{row_id, use_list_view},
        sign_in::{SignIn, SignInQuery},
        split::Split,
    },
    routes::use_route,
    shortcuts::{self, HELP, HELP_ID},
    store::{Connection, Notice, Offer, Session, Tone, use_store},
};
use dioxus::{core::spawn_forever, prelude::*};

/// The frame; without somebody signed in, the way in.
#[component]
pub fn Shell() -> Element {
    let store = use_store();
    let route = use_route();
    shortcuts::use_shortcuts();
    use_effect(move || {
        let summary = store.summary.read();
        let worst = summary.worst();
        let title = match worst {
            Status::Down => format!("({} down) PulseCheck", summary.down.len()),
            Status::Degraded => format!("({} degraded) PulseCheck", summary.degraded.len()),
            _ => "PulseCheck".to_owned(),
        };
        browser::set_title(&title);
        browser::set_icon(worst.word());
    });
    use_focus(&route);
    let zone = (store.zone)();
    let session = store.session.read();
    match &*session {
        // Whatever the address is; only that of the sign-in page says why it did not work.
        Session::SignedOut => {
            let here = route.address();
            let (query, here) = match route {
                Route::SignIn { query } => (query, "/".to_owned()),
                _ => (SignInQuery::default(), here),
            };
            rsx! {
                SignIn { query, here }
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
            main { id: "content", tabindex: "-1",
                // Another zone or language is another page: times are written in it everywhere.
                for zone in [zone] {
                    Page { key: "{zone}" }
                }
            }
            BottomBar {}
            Messages {}
            TipLayer {}
            Shortcuts {}
            PaletteBox {}
        },
    }
}

#[component]
fn Page() -> Element {
    let route = use_route();
    if !route.is_beside_list() {
        return route.page();
    }
    rsx! {
        Split {}
    }
}

/// Where the focus goes when what had it is not there any more: to the row that one came from, or else to the page.
fn use_focus(route: &Route) {
    let view = use_list_view();
    let at_list = matches!(route, Route::Dashboard { .. });
    let path = route.address();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    use_effect(use_reactive!(|(path,)| {
        let _ = path;
        let row = view.cursor.peek().filter(|_| at_list);
        if !row.is_some_and(|id| browser::focus_if_lost(&row_id(id))) {
            browser::focus_if_lost("content");
        }
    }));
}

/// Where one can go: address, name, picture, and whether one is there.
fn places(route: &Route) -> [(Route, &'static str, Shape, bool); 3] {
    let at_incidents = matches!(route, Route::Incidents { .. } | Route::Incident { .. });
    let at_settings = matches!(route, Route::Settings {});
    let at_dashboard =
        !at_incidents && !at_settings && !matches!(route, Route::System {} | Route::Lost { .. });
    [
        (Route::home(), "Dashboard", Shape::Dashboard, at_dashboard),
        (
            Route::incidents(),
            "Incidents",
            Shape::Incidents,
            at_incidents,
        ),
        (Route::Settings {}, "Settings", Shape::Settings, at_settings),
    ]
}

#[component]
fn TopBar() -> Element {
    let store = use_store();
    let route = use_route();
    let open = store.open.read().len();
    rsx! {
        header { class: "top",
            Go { class: "brand", to: Route::home(), {icon(Shape::Brand)} "PulseCheck" }
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
            Find {}
            Go { class: "button primary", to: Route::new_service(), {icon(Shape::Plus)} "Add service" }
            AccountMenu {}
        }
    }
}

#[component]
fn BottomBar() -> Element {
    let route = use_route();
    let palette = use_context::<Palette>();
    rsx! {
        nav { class: "bottom", "aria-label": "Main",
            for (to , name , shape , current) in places(&route) {
                Go { key: "{name}", to, current,
                    {icon(shape)}
                    "{name}"
                }
            }
            button { r#type: "button", onclick: move |_| palette.open(),
                {icon(Shape::Search)}
                "Find"
            }
            Go { to: Route::new_service(), current: matches!(route, Route::NewService { .. }), {icon(Shape::Plus)} "Add" }
        }
    }
}

/// Opens the palette, for those who do not know the keys.
#[component]
fn Find() -> Element {
    let palette = use_context::<Palette>();
    rsx! {
        button {
            class: "button find",
            r#type: "button",
            "aria-keyshortcuts": "Control+K Meta+K",
            onclick: move |_| palette.open(),
            {icon(Shape::Search)}
            span { class: "unseen", "Find a service or an action" }
            kbd { "aria-hidden": "true", "Ctrl K" }
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
    let store = use_store();
    let at = |at: Moment, style| browser::local_time(at, style);
    let text = match ((store.connection)(), (store.kept)()) {
        (_, Some(kept)) => format!(
            "No connection: this is how things were on {}.",
            at(kept, TimeStyle::DayTime)
        ),
        (Connection::Lost(since), None) => {
            format!(
                "Connection lost at {}, showing the last known state.",
                at(since, TimeStyle::Time)
            )
        }
        (_, None) => return VNode::empty(),
    };
    rsx! {
        div { class: "lost", role: "status", "{text} Reconnecting…" }
    }
}

/// What is said for a moment, and what is said only to those who do not see the page.
#[component]
fn Messages() -> Element {
    let store = use_store();
    rsx! {
        div { class: "notices", role: "status",
            for notice in store.notices.read().iter().cloned() {
                OneNotice { key: "{notice.number}", notice }
            }
        }
        div { class: "unseen", "aria-live": "polite", "{store.announcement}" }
    }
}

#[component]
fn OneNotice(notice: Notice) -> Element {
    let store = use_store();
    let number = notice.number;
    let offer = notice.offer.clone();
    rsx! {
        div { class: if notice.tone == Tone::Failed { "notice failed" } else { "notice" },
            span { "{notice.text}" }
            if let Some(offer) = offer {
                button {
                    class: "plain offer",
                    r#type: "button",
                    onclick: move |_| {
                        store.dismiss(number);
                        match offer.clone() {
                            Offer::Undo(deed) => store.carry_out(deed),
                            Offer::Reload => browser::reload(),
                        }
                        browser::focus_if_lost("content");
                    },
                    {if notice.offer == Some(Offer::Reload) { "Reload" } else { "Undo" }}
                }
            }
            button { class: "plain", r#type: "button", "aria-label": "Dismiss", onclick: move |_| store.dismiss(number),
                {icon(Shape::Close)}
            }
        }
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
