//! The calendar feed of vendors' maintenance, behind a secret address.

use super::SecretBox;
use crate::{
    api::{self, CalendarFeed, CreateCalendarFeed, RevokeCalendarFeed},
    browser::{self, TimeStyle},
    components::{ConfirmDialog, TimeAgo, Timestamp},
    store::use_store,
};
use dioxus::prelude::*;

const RENEW_ID: &str = "renew-calendar";
const REVOKE_ID: &str = "revoke-calendar";

#[component]
pub(super) fn Calendar(
    #[props(!optional)] feed: Option<CalendarFeed>,
    onchange: EventHandler<()>,
) -> Element {
    let store = use_store();
    let mut address = use_signal(|| None::<String>);
    let mut busy = use_signal(|| false);
    let create = use_callback(move |()| {
        spawn(async move {
            busy.set(true);
            match api::request::<CreateCalendarFeed>(()).await {
                Ok(response) => address.set(Some(response.create_calendar_feed.url)),
                Err(problem) => store.toasts.problem("Could not create the link", &problem),
            }
            busy.set(false);
            onchange.call(());
        });
    });
    let revoke = move |()| async move {
        match api::execute::<RevokeCalendarFeed>(()).await {
            Ok(()) => {
                address.set(None);
                store.toasts.success("Revoked the calendar link");
            }
            Err(problem) => store.toasts.problem("Could not revoke the link", &problem),
        }
        onchange.call(());
    };
    rsx! {
        section { class: "card", "aria-label": "Calendar",
            h2 { "Calendar" }
            p { class: "dim", "Subscribe to upcoming vendor maintenance in your calendar. Anyone with the link can read it." }
            if let Some(text) = &*address.read() {
                SecretBox { label: "link", text: text.clone(), ondone: move |()| address.set(None) }
            }
            if let Some(CalendarFeed { created_at, last_read_at }) = feed {
                p {
                    "Created on " Timestamp { at: created_at, style: TimeStyle::Day }
                    match last_read_at {
                        Some(at) => rsx! { ", last read " TimeAgo { at } "." },
                        None => rsx! { ", never read." },
                    }
                }
                div { class: "acts",
                    button { class: "button", r#type: "button", disabled: busy(), onclick: move |_| browser::open_dialog(RENEW_ID), "Renew link" }
                    button { class: "button", r#type: "button", onclick: move |_| browser::open_dialog(REVOKE_ID), "Revoke" }
                }
            } else {
                button { class: "button", r#type: "button", disabled: busy(), onclick: move |_| create.call(()), "Create calendar link" }
            }
            ConfirmDialog { id: RENEW_ID, title: "Renew the calendar link?", action: "Renew", onconfirm: move |()| create.call(()),
                p { "The current link will stop working. Calendars that use it need the new one." }
            }
            ConfirmDialog { id: REVOKE_ID, title: "Revoke the calendar link?", action: "Revoke", onconfirm: revoke,
                p { "Calendars that use it will stop updating." }
            }
        }
    }
}
