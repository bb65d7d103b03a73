//! The root component: creates the store, loads the session, starts the live connection.

use crate::{
    browser,
    components::TooltipState,
    list::ListView,
    live,
    pages::{palette::state::PaletteState, preferences, session::load_session, shell::Shell},
    router,
    store::{self, Connection, Session, Store, ToastAction, ToastKind},
};
use dioxus::{
    core::{Runtime, spawn_forever},
    prelude::*,
};
use std::rc::Rc;

/// How often uptimes and histories are refetched: they change slowly, and are not streamed.
const UPTIME_POLL_MS: u32 = 5 * 60_000;

#[component]
pub fn App() -> Element {
    let store = use_context_provider(Store::new);
    use_context_provider(TooltipState::new);
    use_context_provider(|| ListView::new(store));
    use_context_provider(PaletteState::new);
    router::use_router();
    use_hook(|| {
        preferences::apply();
        spawn_forever(start(store));
        spawn_forever(run_clock(store));
    });
    use_browser_events(store);
    rsx! {
        Shell {}
    }
}

/// Handles events of the window. The handlers write signals, so they run in the program's own
/// scope.
fn use_browser_events(store: Store) {
    use_hook(|| {
        let on_unload = Runtime::wrap_closure(move |()| store.flush_deletions());
        let on_update = Runtime::wrap_closure(move |()| {
            store.toasts.add(
                ToastKind::Success,
                "A new version of PulseCheck is available.".to_owned(),
                Some(ToastAction::Reload),
            );
        });
        Rc::new([
            browser::listen("pagehide", move || on_unload(())),
            browser::listen("pulsecheck:updated", move || on_update(())),
        ])
    });
}

/// How long the first load of the list waits for the live connection. What is requested before the
/// subscriptions are active may miss an update and has to be requested again, so a short wait saves
/// a second load; on a slow network the list is shown first.
const FIRST_CONNECT_MS: u32 = 600;
/// How often that wait looks.
const CONNECT_POLL_MS: u32 = 8;

async fn first_connection(store: Store) {
    let mut waited_ms = 0;
    while *store.connection.state.peek() == Connection::Connecting && waited_ms < FIRST_CONNECT_MS {
        browser::sleep(CONNECT_POLL_MS).await;
        waited_ms += CONNECT_POLL_MS;
    }
}

/// Loads the data and connects without waiting for the session, because most users are signed in.
async fn start(store: Store) {
    spawn_forever(async move {
        first_connection(store).await;
        store::load_services(store).await;
        while *store.session.state.peek() != Session::SignedOut {
            store::load_uptimes(store).await;
            browser::sleep(UPTIME_POLL_MS).await;
        }
    });
    let live = spawn_forever(live::run(store));
    load_session(store).await;
    if *store.session.state.peek() == Session::SignedOut {
        live.cancel();
    }
}

/// Updates the clock at each full second.
async fn run_clock(mut store: Store) {
    loop {
        let now = browser::now();
        let until_next = 1000 - now.0.rem_euclid(1000);
        browser::sleep(u32::try_from(until_next).unwrap_or(1000)).await;
        store.clock.set(browser::now());
    }
}
