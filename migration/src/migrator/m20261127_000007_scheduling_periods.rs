//! The ledger of scheduling: what each worker did in a minute, and how late it was. No foreign keys: a worker is a process,
//! which leaves nothing behind but this.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

const SQL: &str = "CREATE TABLE scheduling_periods (
    started_at timestamptz NOT NULL,
    worker_id uuid NOT NULL,
    checks integer NOT NULL CHECK (checks >= 0),
    missed integer NOT NULL CHECK (missed >= 0),
    max_lateness_ms integer NOT NULL CHECK (max_lateness_ms >= 0),
    lateness bytea NOT NULL,
    PRIMARY KEY (started_at, worker_id)
)";

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261127_000007_scheduling_periods"
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
