//! The checks around a moment, as when something began.

use crate::use_cases::Result;
use entity::check;
use entity::sql::Sql;
use sea_orm::{ConnectionTrait, DatabaseConnection, FromQueryResult};
use std::collections::HashMap;

/// How many checks before the moment are read at most.
pub const BEFORE: i64 = 6;
/// And how many from the moment on.
pub const AFTER: i64 = 14;

/// A service's number, a time in epoch milliseconds, and how far from that, in milliseconds, a check may be.
pub type Moment = (i32, i64, i64);

/// The checks around each moment, oldest first, in one statement. Moments around which no checks are kept are missing.
///
/// # Errors
/// What the database said.
pub async fn around(
    db: &DatabaseConnection,
    moments: &[Moment],
) -> Result<HashMap<Moment, Vec<check::Model>>> {
    let mut of_each: HashMap<Moment, Vec<check::Model>> = HashMap::new();
    if moments.is_empty() {
        return Ok(of_each);
    }
    let mut sql = Sql::new(db.get_database_backend());
    for (place, (seq, at, reach)) in moments.iter().enumerate() {
        let sides = [
            (at - reach, *at, "DESC", BEFORE),
            (*at, at + reach, "ASC", AFTER),
        ];
        for (side, (from, until, order, most)) in sides.into_iter().enumerate() {
            let union = if place + side == 0 { "" } else { " UNION ALL " };
            sql = sql
                .text(&format!(
                    "{union}SELECT * FROM (SELECT {place} AS place, c.* FROM checks c WHERE c.service_seq = "
                ))
                .value(*seq)
                .text(" AND c.slot >= ")
                .value(from)
                .text(" AND c.slot < ")
                .value(until)
                .text(&format!(" ORDER BY c.slot {order} LIMIT "))
                .value(most)
                .text(") AS part");
        }
    }
    for row in db.query_all_raw(sql.finish()).await? {
        let place: i32 = row.try_get("", "place")?;
        let moment = usize::try_from(place)
            .ok()
            .and_then(|place| moments.get(place));
        let Some(moment) = moment else { continue };
        of_each
            .entry(*moment)
            .or_default()
            .push(check::Model::from_query_result(&row, "")?);
    }
    of_each
        .values_mut()
        .for_each(|checks| checks.sort_unstable_by_key(|check| check.slot));
    Ok(of_each)
}
