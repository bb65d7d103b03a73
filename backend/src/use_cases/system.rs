//! The state of this installation: workers and their scheduling, the due queue, the database. Only
//! for operators.

use super::{Result, UseCases, now};
use crate::auth::{Viewer, local};
use chrono::{DateTime, TimeDelta, Utc};
use coordination::{CoordinationError, WorkerPresence};
use domain::LatencyHistogram;
use entity::scheduler_minute as period;
use entity::sql::Sql;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// How far back the statistics go.
const SPAN: TimeDelta = TimeDelta::hours(1);
/// A minute that began longer ago than this says nothing about the present.
const CURRENT_WITHIN: TimeDelta = TimeDelta::minutes(3);
/// Maximum number of rows read: sixty minutes of 500 workers.
const MAX_ROWS: u64 = 30_000;

/// The state of an installation.
#[derive(Debug)]
pub struct SystemState {
    /// When it was read.
    pub at: DateTime<Utc>,
    pub database: DbBackend,
    /// Size of the database in bytes.
    pub database_bytes: i64,
    /// The due queue; `None` while the live state is unavailable.
    pub queue: Option<Queue>,
    /// The registered workers, the oldest first; `None` while the live state is unavailable.
    pub workers: Option<Vec<WorkerPresence>>,
    /// The last hour as a whole.
    pub hour: SchedulerSummary,
    /// Its minutes in which a worker ran.
    pub minutes: Vec<SchedulerSummary>,
}

impl SystemState {
    /// Returns the checks a second of the last recorded minute, if that is recent.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "nobody makes so many checks")]
    pub fn checks_per_second(&self) -> Option<f64> {
        let last = self
            .minutes
            .last()
            .filter(|minute| minute.since > self.at - CURRENT_WITHIN)?;
        Some(last.checks as f64 / 60.0)
    }
}

/// The due queue.
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    /// Services and vendor pages in it.
    pub length: usize,
    /// For how long the first of them has been due.
    pub overdue: TimeDelta,
}

/// What all workers did since a time.
#[derive(Debug, Clone)]
pub struct SchedulerSummary {
    pub since: DateTime<Utc>,
    /// Checks that were recorded.
    pub checks: u64,
    /// Slots that were due and not checked.
    pub missed: u64,
    /// How late checks started.
    pub lateness: LatencyHistogram,
    /// The longest of that, in milliseconds.
    pub max_lateness_ms: i32,
}

impl SchedulerSummary {
    fn new(since: DateTime<Utc>) -> Self {
        Self {
            since,
            checks: 0,
            missed: 0,
            lateness: LatencyHistogram::default(),
            max_lateness_ms: 0,
        }
    }

    fn add(&mut self, row: &period::Model) -> Result<()> {
        self.checks += u64::try_from(row.checks).unwrap_or(0);
        self.missed += u64::try_from(row.missed).unwrap_or(0);
        self.lateness.merge(
            &row.lateness()
                .map_err(|error| DbErr::Type(error.to_string()))?,
        );
        self.max_lateness_ms = self.max_lateness_ms.max(row.max_lateness_ms);
        Ok(())
    }
}

impl UseCases {
    /// Returns whether the viewer operates this installation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_operator(&self, viewer: &Viewer) -> Result<bool> {
        Ok(self.system_for_all || local::is_owner(&self.db, viewer.user_id).await?)
    }

    /// Returns the state of this installation; `None` for viewers who do not operate it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn system(&self, viewer: &Viewer) -> Result<Option<SystemState>> {
        if !self.is_operator(viewer).await? {
            return Ok(None);
        }
        let at = self.live.now().await.unwrap_or_else(|_| now());
        let since = at - SPAN;
        let (mut hour, mut minutes) = (SchedulerSummary::new(since), BTreeMap::new());
        let rows = period::Entity::find()
            .filter(period::Column::StartedAt.gt(since))
            .order_by_desc(period::Column::StartedAt)
            .limit(MAX_ROWS);
        for row in rows.all(&self.db).await? {
            hour.add(&row)?;
            minutes
                .entry(row.started_at)
                .or_insert_with(|| SchedulerSummary::new(row.started_at))
                .add(&row)?;
        }
        Ok(Some(SystemState {
            at,
            database: self.db.get_database_backend(),
            database_bytes: self.database_bytes().await?,
            queue: self.queue().await.ok(),
            workers: self.live.workers().await.ok(),
            hour,
            minutes: minutes.into_values().collect(),
        }))
    }

    async fn queue(&self) -> std::result::Result<Queue, CoordinationError> {
        let (length, looked) = (
            self.live.queue_len().await?,
            self.live.claim(0, Duration::from_secs(1)).await?,
        );
        let overdue = looked.next_due.map_or(TimeDelta::zero(), |due| {
            (looked.now - due).max(TimeDelta::zero())
        });
        Ok(Queue { length, overdue })
    }

    async fn database_bytes(&self) -> Result<i64> {
        let sql = Sql::new(self.db.get_database_backend()).by_backend(
            "SELECT pg_database_size(current_database()) AS bytes",
            "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size",
        );
        let row = self.db.query_one_raw(sql.finish()).await?;
        Ok(row
            .map(|row| row.try_get("", "bytes"))
            .transpose()?
            .unwrap_or(0))
    }
}
