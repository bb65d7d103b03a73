//! E-mail addresses whose owners may create an account, whatever the setting for sign-up says.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, schema};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261201_000011_allowed_addresses"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = sea_orm::sea_query::Table::create();
        table
            .table("allowed_addresses")
            .col(schema::text("address").primary_key())
            .col(schema::timestamp_with_time_zone("created_at"));
        manager.create_table(table).await
    }
}
