//! The root: makes the store, asks who is there, and starts the live connection.

use crate::{
    api, backoff, browser,
    components::tip::TipPlace,
    live,
    pages::{ListView, Shell, palette::Palette, preferences},
    routes,
    store::{self, Loading, Offer, Session, Store},
};
use dioxus::{
    core::{Runtime, spawn_forever},
    prelude::*,
};
use std::rc::Rc;

/// How often uptimes and days are asked for again: they change slowly, and nothing streams them.
const UPTIMES_EVERY_MS: u32 = 5 * 60_000;

/// The whole program.
#[component]
pub fn App() -> Element {
    let store = use_context_provider(Store::new);
    use_context_provider(TipPlace::new);
    use_context_provider(|| ListView::new(store));
    use_context_provider(Palette::new);
    routes::use_history();
    use_hook(|| {
        preferences::apply();
        spawn_forever(begin(store));
        spawn_forever(tick(store));
    });
    use_hook(|| {
        // Moments when the browser has something to say; each in the program's own scope, because it writes signals.
        let gone = Runtime::wrap_closure(move |()| store.settle_deletions());
        let newer = Runtime::wrap_closure(move |()| {
            store.offer("A newer version of PulseCheck is there.", Offer::Reload);
        });
        Rc::new([
            browser::listen("pagehide", move || gone(())),
            browser::listen("pulsecheck:newer", move || newer(())),
        ])
    });
    rsx! {
        Shell {}
    }
}

/// Everything begins at the same time as finding out who is there: most often somebody is.
async fn begin(store: Store) {
    spawn_forever(async move {
        store::load(store).await;
        while *store.session.peek() != Session::SignedOut {
            store::load_uptimes(store).await;
            browser::sleep(UPTIMES_EVERY_MS).await;
        }
    });
    let live = spawn_forever(live::run(store));
    identify(store).await;
    if *store.session.peek() == Session::SignedOut {
        live.cancel();
    }
}

/// Finds out who is there, and goes on asking while no answer comes; whoever asks anew ends that.
pub(crate) async fn identify(mut store: Store) {
    store.session.set(Session::Asking);
    store.identifying += 1;
    let mine = *store.identifying.peek();
    for attempt in 0.. {
        let who = api::who().await;
        if *store.identifying.peek() != mine {
            return;
        }
        match who {
            Ok(Some(me)) => {
                store.session.set(Session::SignedIn(me));
                if matches!(&*store.loading.peek(), Loading::Failed(_)) {
                    store::load(store).await;
                }
                return;
            }
            Ok(None) => return store.session.set(Session::SignedOut),
            Err(problem) => store.session.set(Session::Unreachable(problem)),
        }
        browser::sleep(backoff::lateness_ms(attempt, browser::random())).await;
    }
}

/// Moves the clock to each full second.
async fn tick(mut store: Store) {
    loop {
        let now = browser::now();
        let until_next = 1000 - now.0.rem_euclid(1000);
        browser::sleep(u32::try_from(until_next).unwrap_or(1000)).await;
        store.clock.set(browser::now());
    }
}
