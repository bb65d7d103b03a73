//! How services are spread over keys, and a claim over shards.

use super::nodes::Key;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How many shards a cluster gets: it has seldom more masters, and a claim asks each shard.
pub(super) const IN_A_CLUSTER: usize = 16;

/// A part of all services, by their ids.
pub(super) struct Shard {
    /// Sorted set: service ids as 16 bytes, scores in milliseconds.
    pub(super) queue: Key,
    /// Hash: service id as 16 bytes to "slot status".
    pub(super) statuses: Key,
}

/// How a shard of the queue stands after a claim.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) now: DateTime<Utc>,
    pub(super) next_due: Option<DateTime<Utc>>,
    pub(super) built: bool,
}

impl Shard {
    /// The tags in braces decide the slots in a cluster. They tell of how many shards each is one: with another number they
    /// are other keys, which begin empty and are built from the database, whatever the former ones hold.
    pub(super) fn all(prefix: &str, count: usize) -> Vec<Self> {
        let tag = |number: usize| {
            if count == 1 {
                "0".to_owned()
            } else {
                format!("{number}/{count}")
            }
        };
        let tags = (0..count).map(tag);
        let key = |kind: &str, tag: &str| Key::new(format!("{prefix}{kind}:{{{tag}}}"));
        tags.map(|tag| Self {
            queue: key("due", &tag),
            statuses: key("latest", &tag),
        })
        .collect()
    }

    pub(super) fn queue(&self) -> &Key {
        &self.queue
    }

    pub(super) fn statuses(&self) -> &Key {
        &self.statuses
    }
}

/// Spreads ids evenly, whichever of their bits are random, and independently of the phases of their slots.
pub(super) fn shard_of(service: Uuid, count: usize) -> usize {
    let (upper, lower) = service.as_u64_pair();
    let mixed = (upper ^ lower).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    usize::try_from(mixed).unwrap_or(0) % count
}

/// Which shards to ask for `left` services in all, and for how many each: those that have some due, the longest due first.
pub(super) fn ask_for_more(looks: &[Option<Look>], left: usize) -> Vec<(usize, usize)> {
    let due = |look: &Look| look.next_due.filter(|due| *due <= look.now);
    let due = looks
        .iter()
        .enumerate()
        .filter_map(|(shard, look)| Some((due(look.as_ref()?)?, shard)));
    let mut due: Vec<_> = due.collect();
    due.sort_unstable();
    due.truncate(left);
    let count = due.len();
    due.into_iter()
        .enumerate()
        .map(|(i, (_, shard))| (shard, (left + count - 1 - i) / count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn look(due_in_ms: Option<i64>) -> Option<Look> {
        let now = DateTime::from_timestamp_millis(1_000_000).unwrap();
        Some(Look {
            now,
            next_due: due_in_ms.map(|ms| now + TimeDelta::milliseconds(ms)),
            built: true,
        })
    }

    #[test]
    fn what_is_left_is_asked_of_the_shards_with_the_longest_due_and_of_no_others() {
        let looks = [
            look(Some(-5)),
            look(None),
            look(Some(10)),
            None,
            look(Some(-9)),
            look(Some(0)),
        ];
        assert_eq!(ask_for_more(&looks, 0), []);
        assert_eq!(ask_for_more(&looks, 1), [(4, 1)]);
        assert_eq!(ask_for_more(&looks, 2), [(4, 1), (0, 1)]);
        assert_eq!(ask_for_more(&looks, 8), [(4, 3), (0, 3), (5, 2)]);
        assert_eq!(ask_for_more(&[look(Some(1))], 8), []);
    }

    #[test]
    fn ids_of_every_kind_are_spread_evenly_over_the_shards() {
        let made_one_after_the_other = |n: u64| Uuid::from_u128(u128::from(n));
        let random = |n: u64| {
            let bits = n.wrapping_mul(0xD6E8_FEB8_6659_FD93);
            Uuid::from_u64_pair(0x0190_0000_0000_7000 + (n << 16), (bits >> 2) | 1 << 63)
        };
        for id in [&made_one_after_the_other as &dyn Fn(u64) -> Uuid, &random] {
            let mut sizes = [0u32; IN_A_CLUSTER];
            (0..16_000).for_each(|n| sizes[shard_of(id(n), IN_A_CLUSTER)] += 1);
            assert!(
                sizes.iter().all(|size| (850..1150).contains(size)),
                "{sizes:?}"
            );
        }
    }

    #[test]
    fn keys_of_another_number_of_shards_are_other_keys_and_each_has_one_tag() {
        let names = |count| -> Vec<String> {
            let shards = Shard::all("p:", count);
            shards
                .iter()
                .flat_map(|shard| [&shard.queue, &shard.statuses])
                .map(|key| key.name().to_owned())
                .collect()
        };
        assert_eq!(names(1), ["p:due:{0}", "p:latest:{0}"]);
        assert_eq!(
            names(2),
            [
                "p:due:{0/2}",
                "p:latest:{0/2}",
                "p:due:{1/2}",
                "p:latest:{1/2}"
            ]
        );
        assert!(names(8).iter().all(|name| !names(16).contains(name)));
    }
}
