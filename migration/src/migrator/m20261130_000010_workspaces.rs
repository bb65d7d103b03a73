//! Moves what belonged to a user into workspaces.
//!
//! Every user gets a personal workspace whose id is the user's own id: no two users can end up in
//! one workspace, both databases can compute it, and rows keep the value they had.
//!
//! The API and the workers of the version before cannot run against these tables: stop both before
//! migrating.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

const POSTGRES: &str = include_str!("m20261130_000010_workspaces/postgres.sql");
const SQLITE: &str = include_str!("m20261130_000010_workspaces/sqlite.sql");

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261130_000010_workspaces"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = match db.get_database_backend() {
            DbBackend::Sqlite => SQLITE,
            _ => POSTGRES,
        };
        db.execute_unprepared(sql).await?;
        Ok(())
    }
}
