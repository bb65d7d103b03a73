//! What a worker did in one minute, and how late it was.

use chrono::{DateTime, Utc};
use domain::LatencyHistogram;
use domain::histogram::DecodeError;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scheduler_minutes")]
pub struct Model {
    /// When the minute begins, by the time of the live state.
    #[sea_orm(primary_key, auto_increment = false)]
    pub started_at: DateTime<Utc>,
    /// Which start of which worker: `coordination::Worker::id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub worker_id: Uuid,
    /// Checks that were recorded.
    pub checks: i32,
    /// Slots at which a service was due and nobody checked it.
    pub missed: i32,
    /// The longest time between a slot and the beginning of its check, in milliseconds.
    pub max_lateness_ms: i32,
    /// All of those times: `domain::LatencyHistogram`, encoded.
    pub lateness: Vec<u8>,
}

/// No table is related.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// How late checks began.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn lateness(&self) -> Result<LatencyHistogram, DecodeError> {
        LatencyHistogram::decode(&self.lateness)
    }
}
