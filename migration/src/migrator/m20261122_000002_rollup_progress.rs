//! How far the rollups are, for each service.

use sea_orm_migration::prelude::*;

const SQL: &str = "CREATE TABLE rollup_progress (
    service_number integer NOT NULL PRIMARY KEY REFERENCES services (number) ON DELETE CASCADE,
    slot bigint NOT NULL,
    interval_seconds integer NOT NULL,
    status smallint NOT NULL
)";

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261122_000002_rollup_progress"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(SQL).await?;
        Ok(())
    }
}
