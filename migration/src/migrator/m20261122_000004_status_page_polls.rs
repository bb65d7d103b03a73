//! What following a vendor's status page needs to remember between two polls.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

const LISTING: &str = "ALTER TABLE status_pages ADD COLUMN listing text NOT NULL DEFAULT 'all' \
     CHECK (listing IN ('all', 'mentioned'))";
const NOT_BEFORE: &str = "ALTER TABLE status_pages ADD COLUMN not_before";

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261122_000004_status_page_polls"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let instant = if db.get_database_backend() == DbBackend::Sqlite {
            "text"
        } else {
            "timestamptz"
        };
        db.execute_unprepared(LISTING).await?;
        db.execute_unprepared(&format!("{NOT_BEFORE} {instant}"))
            .await?;
        Ok(())
    }
}
