//! Closed vocabularies as columns: `domain` must not know of databases, so its enums are mirrored here.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A status as a small number, because there is one in each check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
#[allow(missing_docs, reason = "domain::Status says it")]
pub enum Status {
    Up = 0,
    Degraded = 1,
    Down = 2,
    Maintenance = 3,
    Unknown = 4,
}

/// The worst that an incident has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[allow(missing_docs, reason = "domain::IncidentType says it")]
pub enum IncidentType {
    #[sea_orm(string_value = "downtime")]
    Downtime,
    #[sea_orm(string_value = "degraded")]
    Degraded,
}

/// What a member may do in a workspace. Each role may do all that the ones before it may.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Reads everything but secrets.
    #[sea_orm(string_value = "VIEWER")]
    Viewer,
    /// Changes services, incidents and everything else that is monitored.
    #[sea_orm(string_value = "EDITOR")]
    Editor,
    /// Also manages members, others' tokens and the workspace itself.
    #[sea_orm(string_value = "OWNER")]
    Owner,
}

/// The length of the time that a rollup sums up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
#[allow(missing_docs, reason = "the names say it")]
pub enum RollupPeriod {
    Hour = 0,
    Day = 1,
}

/// What the list of components on a vendor's page holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ListCoverage {
    /// All of them: one that is absent is gone.
    #[default]
    #[sea_orm(string_value = "all")]
    All,
    /// Those that something was published about: one that is absent is up.
    #[sea_orm(string_value = "mentioned")]
    Mentioned,
}

macro_rules! mirror {
    ($name:ident { $($variant:ident),+ }) => {
        impl From<domain::$name> for $name {
            fn from(value: domain::$name) -> Self {
                match value { $(domain::$name::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for domain::$name {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}

mirror!(Status {
    Up,
    Degraded,
    Down,
    Maintenance,
    Unknown
});
mirror!(IncidentType { Downtime, Degraded });
