//! The checks of one hour or day of a service, summed up.

use crate::column::RollupPeriod;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "check_rollups")]
pub struct Model {
    /// `services.number`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_number: i32,
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

/// None: what belongs together is joined where it is read.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
