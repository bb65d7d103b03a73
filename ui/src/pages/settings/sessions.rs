//! The browsers in which one is signed in, and signing them out.

use crate::{
    api::{self, BrowserSession, ById, EndOtherSessions, EndSession},
    browser::{self, TimeStyle},
    components::{Ago, At, Confirm},
    format,
    pages::account::sign_out,
    store::use_store,
};
use dioxus::prelude::*;

const OTHERS_ID: &str = "end-others";

/// The list, the one used last first.
#[component]
pub(super) fn Sessions(sessions: Vec<BrowserSession>, onchange: EventHandler<()>) -> Element {
    let store = use_store();
    let end = use_callback(move |session: BrowserSession| {
        spawn(async move {
            if session.current {
                // Clears this browser's cookies too.
                return sign_out(store).await;
            }
            match api::tell::<EndSession>(ById { id: session.id }).await {
                Ok(_) => store.say(format!("{} was signed out", session.browser)),
                Err(problem) => store.say_failed("Could not sign it out", &problem),
            }
            onchange.call(());
        });
    });
    let end_others = move |()| async move {
        match api::request::<EndOtherSessions>(()).await {
            Ok(answer) => {
                let count = usize::try_from(answer.end_other_sessions).unwrap_or_default();
                store.say(format!("{} ended", format::count(count, "other session")));
            }
            Err(problem) => store.say_failed("Could not sign them out", &problem),
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
                            if session.current { span { class: "tag", "this one" } }
                        }
                        span { class: "dim", {session.address.clone().unwrap_or_default()} }
                        span { class: "dim number", "since " At { at: session.created_at, style: TimeStyle::Day } }
                        span { class: "dim number", "used " Ago { at: session.last_used_at } }
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
            Confirm { id: OTHERS_ID, title: "Sign out everywhere else?", action: "Sign out", onconfirm: end_others,
                p { {format::count(others, "other session")} " ends at once. You stay signed in here." }
            }
        }
    }
}
