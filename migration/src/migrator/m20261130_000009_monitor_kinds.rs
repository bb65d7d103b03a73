//! Makes a monitor kind a matter of code alone: its settings and the details of its last check are
//! JSON, its secrets are sealed, and every service has tags, a description and a number of
//! recoveries.
//!
//! The API and the workers of the version before cannot run against this schema: stop both before
//! migrating.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261130_000009_monitor_kinds"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            ColumnDef::new("description").text().to_owned(),
            json(manager, "settings"),
            ColumnDef::new("secrets").binary().to_owned(),
            ColumnDef::new("recoveries")
                .integer()
                .not_null()
                .default(1)
                .to_owned(),
        ] {
            add_column(manager, "services", column).await?;
        }
        for column in [
            ColumnDef::new("recovering_checks")
                .integer()
                .not_null()
                .default(0)
                .to_owned(),
            recovering_since(manager),
            json(manager, "details"),
        ] {
            add_column(manager, "service_state", column).await?;
        }
        move_settings(manager).await?;
        for column in ["url", "expected_status"] {
            let drop = Table::alter()
                .table(Alias::new("services"))
                .drop_column(Alias::new(column))
                .to_owned();
            manager.alter_table(drop).await?;
        }
        move_details(manager).await?;
        for column in DETAILS {
            let drop = Table::alter()
                .table(Alias::new("service_state"))
                .drop_column(Alias::new(column))
                .to_owned();
            manager.alter_table(drop).await?;
        }
        create_tags(manager).await
    }
}

async fn add_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: ColumnDef,
) -> Result<(), DbErr> {
    let add = Table::alter()
        .table(Alias::new(table))
        .add_column(column)
        .to_owned();
    manager.alter_table(add).await
}

/// JSON is text in SQLite, as in every other table.
fn json(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match manager.get_database_backend() {
        DbBackend::Sqlite => column.text(),
        _ => column.json_binary(),
    }
    .not_null()
    .default("{}")
    .to_owned()
}

/// Times are text in SQLite, as in every other table.
fn recovering_since(manager: &SchemaManager<'_>) -> ColumnDef {
    let mut column = ColumnDef::new("recovering_since");
    match manager.get_database_backend() {
        DbBackend::Sqlite => column.text(),
        _ => column.timestamp_with_time_zone(),
    }
    .to_owned()
}

/// Puts the address and the expected status codes of HTTP services into their settings. What the
/// others follow stays in tables of its own.
async fn move_settings(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let object = match manager.get_database_backend() {
        DbBackend::Sqlite => "json_object",
        _ => "jsonb_build_object",
    };
    let settings = Func::cust(object)
        .arg(Expr::cust("'url'"))
        .arg(Expr::col("url"))
        .arg(Expr::cust("'expectedStatus'"))
        .arg(Expr::col("expected_status"));
    let update = Query::update()
        .table(Alias::new("services"))
        .value(Alias::new("settings"), settings)
        .and_where(Expr::col("kind").eq("http"))
        .to_owned();
    manager.execute(update).await
}

/// The columns that become details of the last check.
const DETAILS: [&str; 5] = [
    "dns_ms",
    "connect_ms",
    "tls_ms",
    "first_byte_ms",
    "certificate_expires_at",
];

/// Puts the times of the last check and the end of its certificate into its details, without nulls.
async fn move_details(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (details, certificate) = match manager.get_database_backend() {
        DbBackend::Sqlite => (
            "json_patch('{}', json_object",
            "strftime('%Y-%m-%dT%H:%M:%fZ', certificate_expires_at)",
        ),
        _ => (
            "jsonb_strip_nulls(jsonb_build_object",
            "certificate_expires_at",
        ),
    };
    let update = format!(
        "UPDATE service_state SET details = {details}('dnsMs', dns_ms, 'connectMs', connect_ms, \
         'tlsMs', tls_ms, 'firstByteMs', first_byte_ms, 'certificateExpiresAt', {certificate}))"
    );
    manager.get_connection().execute_unprepared(&update).await?;
    Ok(())
}

async fn create_tags(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut service_id = ColumnDef::new("service_id");
    match manager.get_database_backend() {
        DbBackend::Sqlite => service_id.blob(),
        _ => service_id.uuid(),
    };
    let create = Table::create()
        .table(Alias::new("service_tags"))
        .col(service_id.not_null())
        .col(ColumnDef::new("tag").text().not_null())
        .primary_key(
            Index::create()
                .col(Alias::new("service_id"))
                .col(Alias::new("tag")),
        )
        .foreign_key(
            ForeignKey::create()
                .from(Alias::new("service_tags"), Alias::new("service_id"))
                .to(Alias::new("services"), Alias::new("id"))
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(create).await?;
    let index = Index::create()
        .name("service_tags_tag")
        .table(Alias::new("service_tags"))
        .col(Alias::new("tag"))
        .to_owned();
    manager.create_index(index).await
}
