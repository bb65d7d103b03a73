//! Listens for changed definitions, so that they take effect at the next check.

use crate::services::Services;
use coordination::{Coordination, Event};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Drops the definitions that change and wakes the scheduler, until it is dropped. What was missed is made up for by
/// `reconcile`.
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
                    services.drop_one(*service_id);
                    wake.notify_one();
                }
                Ok(_) => {}
                Err(_) => {
                    services.drop_all();
                    reconcile.notify_one();
                }
            }
        }
        // The stream ends only with the live state itself, which this function holds.
        tokio::time::sleep(Duration::from_secs(1)).await;
        services.drop_all();
    }
}
