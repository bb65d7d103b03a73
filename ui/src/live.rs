//! The live connection: subscribes, feeds the store, and comes back by itself.
//!
//! Each time it stands, everything is asked for once more, because what happened before the subscriptions stood was not
//! streamed to anybody.

mod protocol;
#[cfg(target_arch = "wasm32")]
mod socket;

use crate::store::Store;

/// Keeps the connection for as long as somebody is signed in.
#[cfg(target_arch = "wasm32")]
pub(crate) async fn run(store: Store) {
    socket::run(store).await;
}

/// Where components are only rendered to strings nothing is streamed.
#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::unused_async, reason = "has the shape of the one above")]
pub(crate) async fn run(_store: Store) {}
