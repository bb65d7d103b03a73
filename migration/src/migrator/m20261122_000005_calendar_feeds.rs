//! The secret addresses under which calendars read vendors' maintenance.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

const SQL: &str = "CREATE TABLE calendar_feeds (
    user_id uuid NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    last_read_at timestamptz
)";

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261122_000005_calendar_feeds"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = match db.get_database_backend() {
            DbBackend::Sqlite => SQL
                .replace(" uuid", " blob")
                .replace(" bytea", " blob")
                .replace(" timestamptz", " text"),
            _ => SQL.to_owned(),
        };
        db.execute_unprepared(&sql).await?;
        Ok(())
    }
}
