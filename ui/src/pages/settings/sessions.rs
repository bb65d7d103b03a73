//! The browsers in which the user is signed in.

use crate::{
    api::{self, BrowserSession, ById, EndOtherSessions, EndSession},
    browser::{self, TimeStyle},
    components::{ConfirmDialog, TimeAgo, Timestamp},
    format,
    pages::account::sign_out,
    store::use_store,
};
use dioxus::prelude::*;

const OTHERS_ID: &str = "end-others";

/// The sessions, last used first.
#[component]
pub(super) fn Sessions(sessions: Vec<BrowserSession>, onchange: EventHandler<()>) -> Element {
    let store = use_store();
    let end = use_callback(move |session: BrowserSession| {
        spawn(async move {
            if session.current {
                // Clears this browser's cookies as well.
                return sign_out(store).await;
            }
            match api::execute::<EndSession>(ById { id: session.id }).await {
                Ok(()) => store
                    .toasts
                    .success(format!("Signed out {}", session.browser)),
                Err(problem) => store
                    .toasts
                    .problem("Could not sign out that browser", &problem),
            }
            onchange.call(());
        });
    });
    let end_others = move |()| async move {
        match api::request::<EndOtherSessions>(()).await {
            Ok(response) => {
                let count = usize::try_from(response.end_other_sessions).unwrap_or_default();
                store.toasts.success(format!(
                    "Signed out {}",
                    format::count(count, "other session")
                ));
            }
            Err(problem) => store
                .toasts
                .problem("Could not sign out the other browsers", &problem),
        }
        onchange.call(());
    };
    let others = sessions.iter().filter(|session| !session.current).count();
    rsx! {
        section { class: "card", "aria-label": "Sessions",
            div { class: "card-head",
                h2 { "Sessions" }
                if others > 0 {
                    button { class: "button", r#type: "button", onclick: move |_| browser::open_dialog(OTHERS_ID), "Sign out everywhere else" }
                }
            }
            ul { class: "lines",
                for session in sessions {
                    li { key: "{session.id}",
                        span { class: "name",
                            "{session.browser}"
                            if session.current { span { class: "tag", "this browser" } }
                        }
                        span { class: "dim", {session.address.clone().unwrap_or_default()} }
                        span { class: "dim number", "since " Timestamp { at: session.created_at, style: TimeStyle::Day } }
                        span { class: "dim number", "last used " TimeAgo { at: session.last_used_at } }
                        button {
                            class: "button",
                            r#type: "button",
                            "aria-label": "Sign out {session.browser}",
                            onclick: move |_| end.call(session.clone()),
                            "Sign out"
                        }
                    }
                }
            }
            ConfirmDialog { id: OTHERS_ID, title: "Sign out everywhere else?", action: "Sign out", onconfirm: end_others,
                p { "This ends " {format::count(others, "other session")} " at once. You stay signed in here." }
            }
        }
    }
}
