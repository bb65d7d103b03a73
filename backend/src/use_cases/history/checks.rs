//! Pages of single checks.

use super::statement::with_services;
use crate::use_cases::Result;
use crate::use_cases::pagination::RowPage;
use entity::check;
use sea_orm::{DatabaseConnection, DbBackend, FromQueryResult};
use std::collections::HashMap;

/// Reads a page of the checks of each service (by its number), newest first, at most `first`, all
/// before the slot `after` (epoch milliseconds), in one statement. Services without such checks are
/// missing.
///
/// # Errors
/// Returns the database's error.
pub async fn checks(
    db: &DatabaseConnection,
    services: &[i32],
    first: u32,
    after: Option<i64>,
) -> Result<HashMap<i32, RowPage<check::Model>>> {
    let before = after.unwrap_or(i64::MAX);
    let sql = with_services(db.get_database_backend(), services)
        .text(" SELECT c.* FROM given CROSS JOIN ");
    // Reads one row more than requested, to know whether others follow.
    let sql = if db.get_database_backend() == DbBackend::Postgres {
        sql.text("LATERAL (SELECT * FROM checks WHERE service_seq = given.seq AND slot < ")
            .value(before)
            .text(" ORDER BY slot DESC LIMIT ")
            .value(i64::from(first) + 1)
            .text(") c")
    } else {
        // SQLite has no lateral joins: reads along the primary key from the page's oldest slot on.
        sql.text("checks c WHERE c.service_seq = given.seq AND c.slot < ")
            .value(before)
            .text(" AND c.slot >= coalesce((SELECT o.slot FROM checks o WHERE o.service_seq = given.seq")
            .text(" AND o.slot < ")
            .value(before)
            .text(" ORDER BY o.slot DESC LIMIT 1 OFFSET ")
            .value(i64::from(first))
            .text("), 0)")
    };
    let sql = sql.text(" ORDER BY c.service_seq, c.slot DESC");
    let found = check::Model::find_by_statement(sql.finish())
        .all(db)
        .await?;
    let mut checks_by_service: HashMap<i32, Vec<check::Model>> = HashMap::new();
    for check in found {
        checks_by_service
            .entry(check.service_seq)
            .or_default()
            .push(check);
    }
    Ok(checks_by_service
        .into_iter()
        .map(|(service, checks)| (service, RowPage::of(checks, first)))
        .collect())
}
