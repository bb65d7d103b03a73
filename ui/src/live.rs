//! The live connection: subscribes, writes updates to the store, and reconnects.
//!
//! After each connect everything is refetched once, because nothing was streamed before the
//! subscriptions were active.

mod protocol;
#[cfg(target_arch = "wasm32")]
mod socket;

use crate::store::Store;

/// Keeps the connection open while somebody is signed in.
#[cfg(target_arch = "wasm32")]
pub(crate) async fn run(store: Store) {
    socket::run(store).await;
}

/// On the host, where tests render components to strings, there is no connection.
#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::unused_async, reason = "has the signature of the one above")]
pub(crate) async fn run(_store: Store) {}
