//! Invalidates cached service definitions when they change, so that the next check uses the new ones.

use crate::services::Services;
use coordination::{Coordination, Event};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Invalidates changed definitions and wakes the scheduler, until it is dropped. Asks for a
/// reconciliation when events were missed.
pub(crate) async fn run(
    live: Coordination,
    services: Services,
    wake: Arc<Notify>,
    reconcile: Arc<Notify>,
) {
    loop {
        let mut events = live.subscribe();
        while let Some(event) = events.next().await {
            match event.as_deref() {
                Ok(Event::ServiceChanged { service_id, .. }) => {
                    services.invalidate(*service_id);
                    wake.notify_one();
                }
                Ok(_) => {}
                Err(_) => {
                    services.invalidate_all();
                    reconcile.notify_one();
                }
            }
        }
        // Not expected: the stream ends only with the coordination state, which this function holds.
        tokio::time::sleep(Duration::from_secs(1)).await;
        services.invalidate_all();
    }
}
