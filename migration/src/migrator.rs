//! The list of migrations.

mod m20261122_000001_foundation;
mod m20261122_000002_rollup_progress;
mod m20261122_000003_accounts;
mod m20261122_000004_status_page_polls;
mod m20261122_000005_calendar_feeds;
mod m20261127_000006_incident_notes;
mod m20261127_000007_scheduling_periods;
mod m20261130_000008_plain_names;
mod m20261130_000009_monitor_kinds;
mod m20261130_000010_workspaces;
mod m20261201_000011_allowed_addresses;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Every migration, oldest first.
pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_foundation::Migration),
            Box::new(m20261122_000002_rollup_progress::Migration),
            Box::new(m20261122_000003_accounts::Migration),
            Box::new(m20261122_000004_status_page_polls::Migration),
            Box::new(m20261122_000005_calendar_feeds::Migration),
            Box::new(m20261127_000006_incident_notes::Migration),
            Box::new(m20261127_000007_scheduling_periods::Migration),
            Box::new(m20261130_000008_plain_names::Migration),
            Box::new(m20261130_000009_monitor_kinds::Migration),
            Box::new(m20261130_000010_workspaces::Migration),
            Box::new(m20261201_000011_allowed_addresses::Migration),
        ]
    }
}
