//! How this installation does: what its workers wrote down about themselves, the due queue, the database. Only for those
//! who run it.

use super::{Ops, Result, now};
use crate::auth::{Viewer, local};
use chrono::{DateTime, TimeDelta, Utc};
use coordination::{CoordinationError, WorkerPresence};
use domain::LatencyHistogram;
use entity::scheduler_minute as period;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// How far back it goes.
const SPAN: TimeDelta = TimeDelta::hours(1);
/// What was written down within this time tells how it is now.
const LATELY: TimeDelta = TimeDelta::minutes(3);
/// The most rows that are read: of sixty minutes with 500 workers.
const MOST: u64 = 30_000;

/// How an installation does.
#[derive(Debug)]
pub struct System {
    /// When it was looked at.
    pub at: DateTime<Utc>,
    /// What its data is in.
    pub database: DbBackend,
    /// How much room that takes, in bytes.
    pub database_bytes: i64,
    /// The due queue; `None` while the live state is away.
    pub queue: Option<Queue>,
    /// Who makes checks, in the order in which they began; `None` while the live state is away.
    pub workers: Option<Vec<WorkerPresence>>,
    /// The last hour as a whole.
    pub hour: Scheduling,
    /// Its minutes, as far as anybody worked in them.
    pub minutes: Vec<Scheduling>,
}

impl System {
    /// Checks a second in the last minute that is written down, if that was lately.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "nobody makes so many checks")]
    pub fn checks_per_second(&self) -> Option<f64> {
        let last = self
            .minutes
            .last()
            .filter(|minute| minute.since > self.at - LATELY)?;
        Some(last.checks as f64 / 60.0)
    }
}

/// How the due queue stands.
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    /// Services and vendor pages in it.
    pub length: usize,
    /// For how long the first of them has been due.
    pub overdue: TimeDelta,
}

/// What all workers did from some time on.
#[derive(Debug, Clone)]
pub struct Scheduling {
    /// The beginning.
    pub since: DateTime<Utc>,
    /// Checks that were recorded.
    pub checks: u64,
    /// Slots that were due and not checked.
    pub missed: u64,
    /// How late checks began.
    pub lateness: LatencyHistogram,
    /// The longest of that, in milliseconds.
    pub max_lateness_ms: i32,
}

impl Scheduling {
    fn begin(since: DateTime<Utc>) -> Self {
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

impl Ops {
    /// Whether somebody runs this installation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_operator(&self, viewer: &Viewer) -> Result<bool> {
        Ok(self.system_for_all || local::is_owner(&self.db, viewer.user_id).await?)
    }

    /// How this installation does; `None` for those who do not run it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn system(&self, viewer: &Viewer) -> Result<Option<System>> {
        if !self.is_operator(viewer).await? {
            return Ok(None);
        }
        let at = self.live.now().await.unwrap_or_else(|_| now());
        let since = at - SPAN;
        let (mut hour, mut minutes) = (Scheduling::begin(since), BTreeMap::new());
        let rows = period::Entity::find()
            .filter(period::Column::StartedAt.gt(since))
            .order_by_desc(period::Column::StartedAt)
            .limit(MOST);
        for row in rows.all(&self.db).await? {
            hour.add(&row)?;
            minutes
                .entry(row.started_at)
                .or_insert_with(|| Scheduling::begin(row.started_at))
                .add(&row)?;
        }
        Ok(Some(System {
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
        let backend = self.db.get_database_backend();
        let sql = match backend {
            DbBackend::Postgres => "SELECT pg_database_size(current_database())",
            _ => "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        };
        let row = self
            .db
            .query_one_raw(Statement::from_string(backend, sql))
            .await?;
        Ok(row
            .map(|row| row.try_get_by_index(0))
            .transpose()?
            .unwrap_or(0))
    }
}
