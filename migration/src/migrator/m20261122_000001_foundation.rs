//! The first schema.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The whole schema in one text: the two databases differ in the names of types and in how the big tables are stored.
const SCHEMA: &str = include_str!("m20261122_000001_foundation/schema.sql");
const POSTGRES: &str = include_str!("m20261122_000001_foundation/postgres.sql");
const SQLITE: &str = include_str!("m20261122_000001_foundation/sqlite.sql");

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261122_000001_foundation"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let (own, shared) = match db.get_database_backend() {
            DbBackend::Postgres => (POSTGRES, SCHEMA.to_owned()),
            _ => (SQLITE, for_sqlite(SCHEMA)),
        };
        // The services come first: nearly everything hangs on them.
        let (users, rest) = shared
            .split_once("-- services stand here\n")
            .expect("the schema marks where services stand");
        for part in [users, own, rest] {
            db.execute_unprepared(part).await?;
        }
        Ok(())
    }
}

/// SQLite keeps any value under any type; these names keep it from turning text into numbers.
fn for_sqlite(sql: &str) -> String {
    [
        (" uuid", " blob"),
        (" bytea", " blob"),
        (" timestamptz", " text"),
        (" jsonb", " text"),
    ]
    .into_iter()
    .fold(sql.to_owned(), |sql, (postgres, sqlite)| {
        sql.replace(postgres, sqlite)
    })
}
