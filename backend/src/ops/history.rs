//! Reading history: uptime, days, response times and single checks, for many services at once.
//!
//! What the worker has summed up is read as sums; the few checks after that are read one by one. Each question is one
//! statement however many services it is about, and one snapshot: a sum that grew between two statements would count
//! some time twice. Whether somebody may see a service is decided before; here services are only numbers.

mod days;
mod latency;
mod rest;
mod uptime;

pub use days::{MAX_DAYS, UptimeDay, uptime_days};
pub use latency::{LatencyPoint, latency};
pub use uptime::{Uptime, begins, uptime};

use super::Result;
use super::page::Page;
use entity::check;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// A service's checks, newest first, after the one of the slot `after` (epoch milliseconds), at most `first`.
///
/// # Errors
/// What the database said.
pub async fn checks(
    db: &DatabaseConnection,
    service_number: i32,
    first: u32,
    after: Option<i64>,
) -> Result<Page<check::Model>> {
    let mut found = check::Entity::find().filter(check::Column::ServiceNumber.eq(service_number));
    if let Some(after) = after {
        found = found.filter(check::Column::Slot.lt(after));
    }
    let found = found.order_by_desc(check::Column::Slot).limit(u64::from(first) + 1);
    Ok(Page::of(found.all(db).await?, first))
}
