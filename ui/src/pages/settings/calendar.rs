//! The secret address under which a calendar reads vendors' maintenance.

use super::Secret;
use crate::{
    api::{self, CalendarFeed, CreateCalendarFeed, RevokeCalendarFeed},
    browser::{self, TimeStyle},
    components::{Ago, At, Confirm},
    store::use_store,
};
use dioxus::prelude::*;

const RENEW_ID: &str = "renew-calendar";
const REVOKE_ID: &str = "revoke-calendar";

/// Making the address, renewing and revoking it.
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
                Ok(answer) => address.set(Some(answer.create_calendar_feed.url)),
                Err(problem) => store.say_failed("Could not make an address", &problem),
            }
            busy.set(false);
            onchange.call(());
        });
    });
    let revoke = move |()| async move {
        match api::tell::<RevokeCalendarFeed>(()).await {
            Ok(_) => {
                address.set(None);
                store.say("The calendar's address was revoked");
            }
            Err(problem) => store.say_failed("Could not revoke", &problem),
        }
        onchange.call(());
    };
    rsx! {
        section { class: "card", "aria-label": "Calendar",
            h2 { "Calendar" }
            p { class: "dim", "Vendors' maintenance that touches what you follow, in any calendar that can subscribe to an address. Whoever knows the address can read it." }
            if let Some(text) = &*address.read() {
                Secret { what: "address", text: text.clone(), ondone: move |()| address.set(None) }
            }
            if let Some(CalendarFeed { created_at, last_read_at }) = feed {
                p {
                    "Made on " At { at: created_at, style: TimeStyle::Day }
                    match last_read_at {
                        Some(at) => rsx! { ", last read " Ago { at } "." },
                        None => rsx! { ", not read so far." },
                    }
                }
                div { class: "acts",
                    button { class: "button", r#type: "button", disabled: busy(), onclick: move |_| browser::open_dialog(RENEW_ID), "Renew the address" }
                    button { class: "button", r#type: "button", onclick: move |_| browser::open_dialog(REVOKE_ID), "Revoke" }
                }
            } else {
                button { class: "button", r#type: "button", disabled: busy(), onclick: move |_| create.call(()), "Create the address" }
            }
            Confirm { id: RENEW_ID, title: "Renew the calendar's address?", action: "Renew", onconfirm: move |()| create.call(()),
                p { "The present address stops working: calendars that use it need the new one." }
            }
            Confirm { id: REVOKE_ID, title: "Revoke the calendar's address?", action: "Revoke", onconfirm: revoke,
                p { "Calendars that use it see nothing any more." }
            }
        }
    }
}
