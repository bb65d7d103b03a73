//! The use cases behind the API: their work on the database and on the live state. Each takes the
//! [`Viewer`](crate::auth::Viewer), and treats what belongs to another workspace exactly as what does
//! not exist, by the same statements. Knows nothing of GraphQL or HTTP, and leaves roles to the guard
//! in front of it.

pub mod account;
pub mod bulk;
pub mod calendar;
pub mod current;
mod definitions;
pub mod discovery;
mod error;
pub mod follow;
pub mod history;
pub mod incident;
pub mod page;
pub mod pause;
pub mod service;
pub mod system;
pub mod token;
pub mod user;
pub mod vendor;
pub mod workspace;

pub use definitions::Definitions;
pub use error::{Error, Result};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use coordination::{Coordination, CoordinationError, Event};
use discovery::VendorPages;
use entity::column::MonitorKind;
use entity::service as services;
use monitors::Prober;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use url::Url;
use uuid::Uuid;

/// Everything that operations work with. Clones share it.
#[derive(Debug, Clone)]
pub struct Ops {
    /// The truth.
    pub db: DatabaseConnection,
    /// Fast copies, the due queue, and events.
    pub live: Coordination,
    /// What history no longer changes, remembered.
    pub past: Arc<history::Past>,
    /// Services as they are defined, remembered.
    pub definitions: Arc<Definitions>,
    /// For looking at a target before it is added.
    pub prober: Prober,
    /// For finding vendor pages, and reading them before they are followed.
    pub vendor_pages: VendorPages,
    /// What browsers call this server.
    pub public_url: Url,
    /// What users may do at most.
    pub limits: Limits,
    /// Whether everybody sees how this installation does.
    pub system_for_all: bool,
}

/// What users may do at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The shortest interval between two checks, in seconds.
    pub min_interval_seconds: i32,
    /// Maximum number of services in a workspace.
    pub max_services: u32,
    /// How many API tokens one user may have.
    pub max_tokens: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_interval_seconds: 10,
            max_services: 1000,
            max_tokens: 100,
        }
    }
}

/// The time, in the whole milliseconds that everything is stored in.
#[must_use]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

impl Ops {
    /// A transaction that may write. SQLite takes its lock at once: one that begins by reading and writes later would
    /// fail when somebody else has written in between.
    async fn begin(&self) -> std::result::Result<DatabaseTransaction, DbErr> {
        let sqlite = self.db.get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.db.begin_with_options(options).await
    }

    /// Makes checks due now. What is committed stays so when this fails: the worker's reconciliation mends the queue.
    async fn make_due(&self, services: impl IntoIterator<Item = &services::Model>) {
        if let Err(error) = self.schedule_now(services).await {
            tracing::warn!(%error, "checks could not be scheduled: the worker will find them by itself");
        }
    }

    /// Puts services into the queue, due at once by the clock that the queue is judged by: this machine's may be ahead,
    /// and the check would wait for as long. Of many each is due a millisecond after the one before, so that thousands that
    /// are resumed are not requested all at once. What is due of one that follows a vendor page is the page, which is read
    /// for all who follow it.
    async fn schedule_now(
        &self,
        services: impl IntoIterator<Item = &services::Model>,
    ) -> std::result::Result<(), CoordinationError> {
        let due = |service: &services::Model| match service.kind {
            MonitorKind::Http => Some(service.id),
            MonitorKind::VendorPage => service.vendor_page_id,
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

    /// Takes services out of the queue and their latest statuses away. A page stays in the queue: the worker knows
    /// whether anybody else follows it.
    async fn withdraw(&self, services: &[Uuid]) {
        if let Err(error) = self.forget_live(services).await {
            tracing::warn!(%error, "the live state could not be told that services are checked no more");
        }
    }

    /// As [`Ops::withdraw`], for who tries again. Neither half waits for the other to succeed.
    async fn forget_live(&self, services: &[Uuid]) -> std::result::Result<(), CoordinationError> {
        let removed = self.live.remove(services).await;
        removed.and(self.live.evict_statuses(services).await)
    }

    /// Tells everybody who listens.
    async fn publish(&self, events: &[Event]) {
        if let Err(error) = self.live.publish(events).await {
            tracing::warn!(%error, "a change could not be published: open pages show it at their next refetch");
        }
    }
}
