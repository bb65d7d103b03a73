//! The checks of one hour or day of a service, summed up.

use crate::column::RollupPeriod;
use chrono::{DateTime, Utc};
use domain::LatencyHistogram;
use domain::histogram::DecodeError;
use domain::rollup::Sum;
use domain::uptime::Tally;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "check_rollups")]
pub struct Model {
    /// `services.seq`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_seq: i32,
    /// How long.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: RollupPeriod,
    /// When it begins, epoch milliseconds.
    #[sea_orm(primary_key, auto_increment = false)]
    pub start: i64,
    /// Time up.
    pub up_ms: i64,
    /// Time degraded.
    pub degraded_ms: i64,
    /// Time down.
    pub down_ms: i64,
    /// Time in announced maintenance.
    pub maintenance_ms: i64,
    /// How many checks were made.
    pub checks: i32,
    /// How many of them found it degraded or down.
    pub failed: i32,
    /// The slowest answer, in milliseconds.
    pub max_response_time_ms: Option<i32>,
    /// `domain::LatencyHistogram`, encoded.
    pub latency: Vec<u8>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The service whose checks it sums up.
    #[sea_orm(
        belongs_to = "super::service::Entity",
        from = "Column::ServiceSeq",
        to = "super::service::Column::Seq"
    )]
    Service,
}

impl Related<super::service::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Service.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The row that holds `sum`.
    #[must_use]
    pub fn of(service_seq: i32, period: RollupPeriod, start: DateTime<Utc>, sum: &Sum) -> Self {
        Self {
            service_seq,
            period,
            start: start.timestamp_millis(),
            up_ms: sum.tally.up_ms,
            degraded_ms: sum.tally.degraded_ms,
            down_ms: sum.tally.down_ms,
            maintenance_ms: sum.tally.maintenance_ms,
            checks: saturated(sum.checks),
            failed: saturated(sum.failed),
            max_response_time_ms: sum.max_response_time_ms.map(saturated),
            latency: sum.latency.encode(),
        }
    }

    /// What it holds.
    ///
    /// # Errors
    /// When its histogram cannot be read.
    pub fn sum(&self) -> Result<Sum, DecodeError> {
        Ok(Sum {
            tally: Tally {
                up_ms: self.up_ms,
                degraded_ms: self.degraded_ms,
                down_ms: self.down_ms,
                maintenance_ms: self.maintenance_ms,
            },
            checks: self.checks.try_into().unwrap_or(0),
            failed: self.failed.try_into().unwrap_or(0),
            max_response_time_ms: self.max_response_time_ms.and_then(|ms| ms.try_into().ok()),
            latency: LatencyHistogram::decode(&self.latency)?,
        })
    }
}

fn saturated(n: u32) -> i32 {
    n.try_into().unwrap_or(i32::MAX)
}
