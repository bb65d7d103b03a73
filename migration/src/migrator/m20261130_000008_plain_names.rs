//! Renames tables and columns to the terms that the code and the API use.
//!
//! The API and the workers of the version before cannot run against the new names: stop both
//! before migrating.

use sea_orm_migration::prelude::*;

/// Old and new name of each renamed table.
const TABLES: [(&str, &str); 4] = [
    ("status_pages", "vendor_pages"),
    ("status_page_components", "vendor_page_components"),
    ("used_sign_ins", "consumed_login_states"),
    ("scheduling_periods", "scheduler_minutes"),
];

/// Table (by its new name), old and new name of each renamed column.
const COLUMNS: [(&str, &str, &str); 12] = [
    ("services", "number", "seq"),
    ("services", "status_page_url", "vendor_page_url"),
    ("services", "status_page_id", "vendor_page_id"),
    ("checks", "service_number", "service_seq"),
    ("checks", "delay_ms", "lateness_ms"),
    ("check_rollups", "service_number", "service_seq"),
    ("rollup_progress", "service_number", "service_seq"),
    ("service_state", "since", "status_since"),
    ("incidents", "kind", "type"),
    ("vendor_page_components", "status_page_id", "vendor_page_id"),
    ("vendor_incidents", "status_page_id", "vendor_page_id"),
    ("vendor_maintenances", "status_page_id", "vendor_page_id"),
];

/// Table (by its new name), index, its columns, under the old and the new name.
const INDEXES: [(&str, &str, &str, &str); 2] = [
    (
        "services",
        "services_status_page",
        "services_vendor_page",
        "vendor_page_id",
    ),
    (
        "consumed_login_states",
        "used_sign_ins_expiry",
        "consumed_login_states_expiry",
        "expires_at",
    ),
];

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261130_000008_plain_names"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (old, new) in TABLES {
            let rename = Table::rename()
                .table(Alias::new(old), Alias::new(new))
                .to_owned();
            manager.rename_table(rename).await?;
        }
        for (table, old, new) in COLUMNS {
            let rename = Table::alter()
                .table(Alias::new(table))
                .rename_column(Alias::new(old), Alias::new(new))
                .to_owned();
            manager.alter_table(rename).await?;
        }
        for (table, old, new, column) in INDEXES {
            manager
                .drop_index(Index::drop().name(old).table(Alias::new(table)).to_owned())
                .await?;
            let create = Index::create()
                .name(new)
                .table(Alias::new(table))
                .col(Alias::new(column))
                .to_owned();
            manager.create_index(create).await?;
        }
        open_kinds(manager).await
    }
}

/// Renames the kind `status_page` and drops the CHECK that listed the kinds: a kind is added by code
/// alone. SQLite cannot drop a constraint, but drops it together with its column.
async fn open_kinds(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (services, kind, new_kind) = (
        Alias::new("services"),
        Alias::new("kind"),
        Alias::new("new_kind"),
    );
    let alter = |change: &mut dyn FnMut(&mut TableAlterStatement)| {
        let mut alter = Table::alter().table(services.clone()).to_owned();
        change(&mut alter);
        alter
    };
    let column = ColumnDef::new(new_kind.clone())
        .text()
        .not_null()
        .default("http")
        .to_owned();
    manager
        .alter_table(alter(&mut |table| {
            table.add_column(column.clone());
        }))
        .await?;
    let vendor_pages = Query::update()
        .table(services.clone())
        .value(new_kind.clone(), "vendor_page")
        .and_where(Expr::col(kind.clone()).eq("status_page"))
        .to_owned();
    manager.execute(vendor_pages).await?;
    manager
        .alter_table(alter(&mut |table| {
            table.drop_column(kind.clone());
        }))
        .await?;
    manager
        .alter_table(alter(&mut |table| {
            table.rename_column(new_kind.clone(), kind.clone());
        }))
        .await
}
