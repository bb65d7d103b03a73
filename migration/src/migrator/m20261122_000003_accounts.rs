//! What signing in by providers and leaving need: sign-ins that were completed, accounts that are being removed, and
//! identities found by their e-mail.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// Every statement, with PostgreSQL's names of types.
const SQL: [&str; 4] = [
    "CREATE TABLE used_sign_ins (
        id bytea NOT NULL PRIMARY KEY,
        expires_at timestamptz NOT NULL
    )",
    "CREATE INDEX used_sign_ins_expiry ON used_sign_ins (expires_at)",
    "CREATE TABLE account_removals (
        user_id uuid NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        requested_at timestamptz NOT NULL
    )",
    "CREATE INDEX identities_email ON identities (lower(email))",
];

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261122_000003_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sqlite = db.get_database_backend() == DbBackend::Sqlite;
        for statement in SQL {
            let statement = match sqlite {
                true => [
                    (" uuid", " blob"),
                    (" bytea", " blob"),
                    (" timestamptz", " text"),
                ]
                .into_iter()
                .fold(statement.to_owned(), |sql, (postgres, sqlite)| {
                    sql.replace(postgres, sqlite)
                }),
                false => statement.to_owned(),
            };
            db.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}
