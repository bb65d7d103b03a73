//! How far a service's checks are in the rollups: the last check that is. All time before its slot is accounted for
//! there, none after it. Written in the transaction that writes the rollups.

use crate::column::Status;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rollup_progress")]
pub struct Model {
    /// `services.seq`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_seq: i32,
    /// The check's slot, epoch milliseconds; only grows.
    pub slot: i64,
    /// The service's interval at that time.
    pub interval_seconds: i32,
    /// What the check found.
    pub status: Status,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The service whose checks are rolled up.
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
    /// The check itself.
    #[must_use]
    pub fn sample(&self) -> domain::uptime::Sample {
        crate::check::sample(self.slot, self.interval_seconds, self.status.into())
    }
}
