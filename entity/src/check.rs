//! One recorded check. There are very many: the key is (service, slot), instants are epoch milliseconds, and rows stay small.

use crate::column::Status;
use chrono::{DateTime, Duration, Utc};
use domain::uptime::Sample;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "checks")]
pub struct Model {
    /// `services.seq`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_seq: i32,
    /// The scheduled slot, in epoch milliseconds.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: i64,
    /// How long after its slot it was made, in milliseconds.
    pub lateness_ms: i32,
    /// The service's interval at that time: how long the check speaks for it.
    pub interval_seconds: i32,
    /// Milliseconds, when an answer came.
    pub response_time_ms: Option<i32>,
    /// What it found, confirmed or not.
    pub status: Status,
    /// HTTP status code, when an answer came.
    pub status_code: Option<i16>,
    /// Why it did not find it up.
    pub message: Option<String>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The service that was checked.
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
    /// What uptime needs of it.
    #[must_use]
    pub fn sample(&self) -> Sample {
        sample(self.slot, self.interval_seconds, self.status.into())
    }
}

/// A check as uptime sees it, from the columns that hold it here and in `rollup_progress`.
#[must_use]
pub fn sample(slot: i64, interval_seconds: i32, status: domain::Status) -> Sample {
    Sample {
        slot: instant(slot),
        interval: Duration::seconds(interval_seconds.into()),
        status,
    }
}

/// Epoch milliseconds as an instant; 1970 for numbers that no instant has.
#[must_use]
pub fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::UNIX_EPOCH)
}
