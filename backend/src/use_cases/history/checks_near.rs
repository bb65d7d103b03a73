//! The checks near a moment, such as the start of an incident.

use crate::use_cases::Result;
use entity::check;
use entity::sql::Sql;
use sea_orm::{ConnectionTrait, DatabaseConnection, FromQueryResult};
use std::collections::HashMap;

/// Maximum number of checks before the moment.
pub const CHECKS_BEFORE: i64 = 6;
/// Maximum number of checks from the moment on.
pub const CHECKS_AFTER: i64 = 14;

/// A service's number, a time in epoch milliseconds, and the maximum distance of a check from it in
/// milliseconds.
pub type NearbyCheckKey = (i32, i64, i64);

/// Reads the checks near each moment, oldest first, in one statement. Moments without checks are
/// missing.
///
/// # Errors
/// Returns the database's error.
pub async fn checks_near(
    db: &DatabaseConnection,
    moments: &[NearbyCheckKey],
) -> Result<HashMap<NearbyCheckKey, Vec<check::Model>>> {
    let mut checks_by_moment: HashMap<NearbyCheckKey, Vec<check::Model>> = HashMap::new();
    if moments.is_empty() {
        return Ok(checks_by_moment);
    }
    let mut sql = Sql::new(db.get_database_backend());
    for (index, (seq, at, reach)) in moments.iter().enumerate() {
        let sides = [
            (at - reach, *at, "DESC", CHECKS_BEFORE),
            (*at, at + reach, "ASC", CHECKS_AFTER),
        ];
        for (side, (from, until, order, limit)) in sides.into_iter().enumerate() {
            let union = if index + side == 0 { "" } else { " UNION ALL " };
            sql = sql
                .text(&format!(
                    "{union}SELECT * FROM (SELECT {index} AS moment_index, c.* FROM checks c WHERE c.service_seq = "
                ))
                .value(*seq)
                .text(" AND c.slot >= ")
                .value(from)
                .text(" AND c.slot < ")
                .value(until)
                .text(&format!(" ORDER BY c.slot {order} LIMIT "))
                .value(limit)
                .text(") AS part");
        }
    }
    for row in db.query_all_raw(sql.finish()).await? {
        let index: i32 = row.try_get("", "moment_index")?;
        let moment = usize::try_from(index)
            .ok()
            .and_then(|index| moments.get(index));
        let Some(moment) = moment else { continue };
        checks_by_moment
            .entry(*moment)
            .or_default()
            .push(check::Model::from_query_result(&row, "")?);
    }
    checks_by_moment
        .values_mut()
        .for_each(|checks| checks.sort_unstable_by_key(|check| check.slot));
    Ok(checks_by_moment)
}
