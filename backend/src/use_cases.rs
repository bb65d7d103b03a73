//! The use cases behind the API: the work on the database and the live state, one file a domain.
//!
//! Every use case takes the [`Viewer`](crate::auth::Viewer). What belongs to another workspace gets
//! the same result as what does not exist, by the same statements. Knows nothing of GraphQL or HTTP,
//! and leaves roles to the request guard.

pub mod account;
pub mod bulk;
pub mod calendar;
pub mod current_status;
mod definition_change;
pub mod discovery;
mod error;
pub mod follow;
pub mod history;
pub mod incident;
pub mod pagination;
pub mod pause;
pub mod service;
mod service_list;
pub(crate) mod settings;
pub mod system;
mod tags;
mod target_candidates;
pub mod token;
pub mod user;
pub mod vendor;
pub mod workspace;

pub use error::{Error, Result};

use crate::caches::Caches;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use coordination::{Coordination, CoordinationError, Event};
use discovery::reader::VendorPages;
use entity::service as services;
use entity::sql::begin_write;
use monitors::{MonitorKind, Prober, Schedule};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use secrets::Sealer;
use std::collections::BTreeSet;
use std::sync::Arc;
use url::Url;
use uuid::Uuid;

/// The use cases, and everything they work with. Clones share it.
#[derive(Debug, Clone)]
pub struct UseCases {
    pub db: DatabaseConnection,
    /// Latest statuses, the due queue, and events.
    pub live: Coordination,
    pub caches: Arc<Caches>,
    /// Tests a service before it is created.
    pub prober: Prober,
    /// Seals the secrets of services.
    pub sealer: Arc<Sealer>,
    /// Discovers vendor pages, and reads them before they are followed.
    pub vendor_pages: VendorPages,
    /// The address of this server in browsers.
    pub public_url: Url,
    pub quotas: Quotas,
    /// Whether everybody may see the state of this installation, not only its operators.
    pub system_for_all: bool,
}

/// Quotas of workspaces and users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Minimum interval between two checks, in seconds.
    pub min_interval_seconds: i32,
    /// Maximum number of services in a workspace.
    pub max_services: u32,
    /// Maximum number of API tokens of a user.
    pub max_tokens: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            min_interval_seconds: 10,
            max_services: 1000,
            max_tokens: 100,
        }
    }
}

/// Returns the current time in whole milliseconds, the resolution of everything that is stored.
#[must_use]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

impl UseCases {
    /// Begins a transaction that will write.
    async fn begin(&self) -> std::result::Result<DatabaseTransaction, DbErr> {
        begin_write(&self.db).await
    }

    /// Schedules checks now. A failure is only logged: the worker's reconciliation repairs the queue.
    async fn make_due(&self, services: impl IntoIterator<Item = &services::Model>) {
        if let Err(error) = self.schedule_now(services).await {
            tracing::warn!(%error, "failed to schedule checks, the worker's reconciliation will");
        }
    }

    /// Puts services into the due queue, or the vendor page that a service follows: it is read once for
    /// all. Uses the queue's clock, because this machine's may be ahead and the checks would wait for
    /// as long. Spreads them by a millisecond each, so that thousands of resumed services are not
    /// checked at the same instant.
    async fn schedule_now(
        &self,
        services: impl IntoIterator<Item = &services::Model>,
    ) -> std::result::Result<(), CoordinationError> {
        let due = |service: &services::Model| match MonitorKind::from_id(&service.kind) {
            Ok(kind) if kind.info().schedule == Schedule::Every => Some(service.id),
            _ => service.vendor_page_id,
        };
        let due: BTreeSet<Uuid> = services.into_iter().filter_map(due).collect();
        if due.is_empty() {
            return Ok(());
        }
        let at = self.live.now().await.unwrap_or_else(|_| now());
        let moments = (0..).map(|i| at + TimeDelta::milliseconds(i));
        self.live
            .schedule(&due.into_iter().zip(moments).collect::<Vec<_>>())
            .await
    }

    /// Removes services from the due queue, and their latest statuses. A vendor page stays in the queue:
    /// the worker knows whether anybody else follows it.
    async fn withdraw(&self, services: &[Uuid]) {
        if let Err(error) = self.forget_live(services).await {
            tracing::warn!(%error, "failed to remove services from the live state");
        }
    }

    /// As [`UseCases::withdraw`], for callers that retry. Does both, even if one of them fails.
    async fn forget_live(&self, services: &[Uuid]) -> std::result::Result<(), CoordinationError> {
        let removed = self.live.remove(services).await;
        removed.and(self.live.evict_statuses(services).await)
    }

    /// Publishes events to all subscribers. A failure is only logged.
    async fn publish(&self, events: &[Event]) {
        if let Err(error) = self.live.publish(events).await {
            tracing::warn!(%error, "failed to publish a change, open pages show it at their next refetch");
        }
    }
}
