//! What people add to incidents: that somebody has seen one, and notes.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

const SQL: &str = "CREATE TABLE incident_acknowledgements (
    incident_id uuid NOT NULL PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at timestamptz NOT NULL
);
CREATE INDEX incident_acknowledgements_user ON incident_acknowledgements (user_id);

CREATE TABLE incident_notes (
    id uuid NOT NULL PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at timestamptz NOT NULL,
    text text NOT NULL
);
CREATE INDEX incident_notes_incident ON incident_notes (incident_id, at, id);
CREATE INDEX incident_notes_user ON incident_notes (user_id)";

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261127_000006_incident_notes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = match db.get_database_backend() {
            DbBackend::Sqlite => SQL
                .replace(" uuid", " blob")
                .replace(" timestamptz", " text"),
            _ => SQL.to_owned(),
        };
        db.execute_unprepared(&sql).await?;
        Ok(())
    }
}
