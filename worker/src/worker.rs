//! The dependencies and settings of a worker.

use crate::history;
use crate::runner::Probe;
use crate::stats::Stats;
use chrono::{DateTime, Utc};
use coordination::Coordination;
use sea_orm::DatabaseConnection;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A worker's dependencies and settings.
#[derive(Debug)]
pub struct Worker {
    /// The database, migrated.
    pub db: DatabaseConnection,
    /// The same, for the parts that write. For SQLite it should be a single connection: only one writes
    /// at a time anyway, and its page cache stays valid only while no other connection writes.
    pub writer: DatabaseConnection,
    /// The due queue, latest statuses and events.
    pub live: Coordination,
    /// Probes targets.
    pub prober: Arc<dyn Probe>,
    /// Fetches vendor pages.
    pub fetcher: net::Fetcher,
    /// Opens the secrets of services.
    pub sealer: Arc<secrets::Sealer>,
    /// Limits, intervals and names.
    pub settings: Settings,
}

/// Limits, intervals and names of a worker.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Maximum number of concurrent checks.
    pub concurrency: usize,
    /// Maximum number of concurrent checks of one host.
    pub concurrency_per_host: usize,
    /// Maximum number of vendor pages that are fetched concurrently, besides checks.
    pub page_concurrency: usize,
    /// How long a claim lasts before another worker may take it over.
    pub lease: Duration,
    /// How long a result is kept while the database is away.
    pub keep_unrecorded: Duration,
    /// How often the due queue is reconciled with the database.
    pub reconcile_every: Duration,
    /// Name of the machine or container, for people.
    pub host: String,
    /// A file that is written while the worker works.
    pub heartbeat_file: Option<PathBuf>,
    /// How often that file is written, and the worker registered.
    pub heartbeat_every: Duration,
    /// The clock of this machine. It is corrected by that of the coordination state.
    pub machine_clock: fn() -> DateTime<Utc>,
    /// Retention and rollups.
    pub history: history::HistorySettings,
    /// The worker's counters.
    pub stats: Arc<Stats>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 256,
            concurrency_per_host: 32,
            page_concurrency: 32,
            lease: Duration::from_secs(20),
            keep_unrecorded: Duration::from_secs(300),
            reconcile_every: Duration::from_secs(30),
            host: String::new(),
            heartbeat_file: None,
            heartbeat_every: Duration::from_secs(5),
            machine_clock: Utc::now,
            history: history::HistorySettings::default(),
            stats: Arc::default(),
        }
    }
}
