//! Loads the session, when the program starts and when the user tries again.

use crate::{
    api, backoff, browser,
    store::{self, Loading, Session, Store},
};
use dioxus::prelude::*;

/// Finds out who is signed in, and retries until the server responds or the function is called
/// again.
pub(crate) async fn load_session(mut store: Store) {
    store.session.state.set(Session::Loading);
    store.session.load_generation += 1;
    let generation = *store.session.load_generation.peek();
    for attempt in 0.. {
        let me = api::fetch_me().await;
        if *store.session.load_generation.peek() != generation {
            return;
        }
        match me {
            Ok(Some(me)) => {
                store.session.state.set(Session::SignedIn(me));
                if matches!(&*store.services.loading.peek(), Loading::Failed(_)) {
                    store::load_services(store).await;
                }
                return;
            }
            Ok(None) => return store.session.end(),
            Err(problem) => store.session.state.set(Session::Unreachable(problem)),
        }
        browser::sleep(backoff::delay_ms(attempt, browser::random())).await;
    }
}
