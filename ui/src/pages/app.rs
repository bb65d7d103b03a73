//! The root: makes the store, asks who is there, and starts the live connection.

use crate::{
    api::{self, GetMe, ProblemKind},
    browser,
    components::tip::TipPlace,
    live,
    pages::{ListView, Shell, palette::Palette, preferences},
    routes,
    store::{self, Offer, Session, Store},
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
        spawn_forever(identify(store));
        spawn_forever(tick(store));
    });
    use_hook(|| {
        // Moments when the browser has something to say; each in the program's own scope, because it writes signals.
        let gone = Runtime::wrap_closure(move |()| store.settle_deletions());
        let newer = Runtime::wrap_closure(move |()| {
            store.offer("A newer version of PulseCheck is there.", Offer::Reload);
        });
        Rc::new([browser::listen("pagehide", move || gone(())), browser::listen("pulsecheck:newer", move || newer(()))])
    });
    rsx! {
        Shell {}
    }
}

/// Finds out who is there. Everything else starts at the same time: most often somebody is.
pub(crate) async fn identify(mut store: Store) {
    store.session.set(Session::Asking);
    spawn_forever(async move {
        store::load(store).await;
        while *store.session.peek() != Session::SignedOut {
            store::load_uptimes(store).await;
            browser::sleep(UPTIMES_EVERY_MS).await;
        }
    });
    let live = spawn_forever(live::run(store));
    let session = match who().await {
        Ok(Some(me)) => return store.session.set(Session::SignedIn(me)),
        Ok(None) => Session::SignedOut,
        Err(problem) => Session::Unreachable(problem),
    };
    if session == Session::SignedOut {
        live.cancel();
    }
    store.session.set(session);
}

/// Who is signed in, the session renewed if need be.
async fn who() -> Result<Option<api::Me>, api::Problem> {
    let asked = async {
        match api::request::<GetMe>(()).await? {
            GetMe { me: None } => {
                api::refresh_session().await?;
                api::request::<GetMe>(()).await
            }
            answer => Ok(answer),
        }
    };
    match asked.await {
        Ok(answer) => Ok(answer.me),
        Err(problem) if problem.kind == ProblemKind::SignedOut => Ok(None),
        Err(problem) => Err(problem),
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
