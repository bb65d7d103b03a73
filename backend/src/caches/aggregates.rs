//! Sums of rollups that do not change any more.

use super::ttl_cache::{LoadTicket, TtlCache};
use chrono::{DateTime, Duration, Utc};
use domain::uptime::Tally;
use std::collections::HashMap;
use std::fmt;

/// How long a sum is used before it is read again: a repair of the database shows after this time.
const AGGREGATE_CACHE_TTL: Duration = Duration::hours(1);

/// Maximum number of sums, one for each service and window; each takes about 150 bytes.
const AGGREGATE_CACHE_CAPACITY: u64 = 100_000;

/// The sum of a service's rollups from the start of a window to `until`, a day that the worker has
/// begun to roll up: earlier days are complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UptimeAggregate {
    pub(crate) until: DateTime<Utc>,
    pub(crate) tally: Tally,
}

/// Caches sums per service (by its number) and start of the window.
pub struct AggregateCache(TtlCache<(i32, DateTime<Utc>), UptimeAggregate>);

impl Default for AggregateCache {
    fn default() -> Self {
        Self(TtlCache::new(AGGREGATE_CACHE_TTL, AGGREGATE_CACHE_CAPACITY))
    }
}

impl fmt::Debug for AggregateCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AggregateCache").finish_non_exhaustive()
    }
}

impl AggregateCache {
    pub(crate) fn get_many(
        &self,
        services: &[i32],
        from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> HashMap<i32, UptimeAggregate> {
        services
            .iter()
            .filter_map(|service| Some((*service, self.0.get(&(*service, from), now)?)))
            .collect()
    }

    /// Call before loading aggregates that are then inserted.
    pub(crate) fn begin_load(&self) -> LoadTicket {
        self.0.begin_load()
    }

    pub(crate) fn insert_many(
        &self,
        ticket: LoadTicket,
        from: DateTime<Utc>,
        aggregates: impl IntoIterator<Item = (i32, UptimeAggregate)>,
        now: DateTime<Utc>,
    ) {
        let entries = aggregates
            .into_iter()
            .map(|(service, aggregate)| ((service, from), aggregate, 1));
        self.0.insert_many(ticket, entries, now);
    }
}
