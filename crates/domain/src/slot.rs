//! Computes when a service is due: at `phase + k * interval`. The phase is derived from its id, so
//! that services with the same interval are not all due at once.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

/// Returns the latest slot of `service` that is not after `now`.
#[must_use]
pub fn slot_at(service: Uuid, interval: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    let interval = interval.num_milliseconds().max(1);
    let since_phase = now.timestamp_millis() - phase_ms(service, interval);
    datetime_from_ms(now.timestamp_millis() - since_phase.rem_euclid(interval))
}

/// Returns the first slot of `service` after `now`.
#[must_use]
pub fn next_slot(service: Uuid, interval: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    slot_at(service, interval, now) + Duration::milliseconds(interval.num_milliseconds().max(1))
}

/// Returns the slot of a check that was due at `due` and claimed at `now`.
///
/// On time this is `due` itself, which is off the grid for a manual check. An overdue service is
/// checked for its latest slot only; missed slots are not made up for.
#[must_use]
pub fn claimed_slot(
    service: Uuid,
    interval: Duration,
    due: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    due.min(now).max(slot_at(service, interval, now))
}

/// Returns whether a recorded slot is so far after `now` that the clock must have been set back.
/// Tolerates a minute of difference between the clocks of workers.
#[must_use]
pub fn is_in_future(slot: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    slot - now > Duration::minutes(1)
}

/// Returns how long after its slot a check covers its service. Tolerates one missed slot or half a
/// minute; before a longer gap, a check covers one interval only.
#[must_use]
pub fn coverage_window(interval: Duration) -> Duration {
    interval + interval.max(Duration::seconds(30))
}

/// The last eight bytes of a version 7 UUID are random, which spreads the phases evenly.
fn phase_ms(service: Uuid, interval_ms: i64) -> i64 {
    let random = service.as_u64_pair().1;
    i64::try_from(random % interval_ms.unsigned_abs())
        .expect("a remainder is smaller than its positive divisor")
}

fn datetime_from_ms(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).expect("a slot lies within one interval of a valid time")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slots_form_one_grid_however_they_are_asked_for(id: u128, seconds in 1i64..86_400, now in 0i64..4_000_000_000_000, later in 0i64..100_000_000) {
            let (id, interval) = (Uuid::from_u128(id), Duration::seconds(seconds));
            let (now, later) = (datetime_from_ms(now), datetime_from_ms(now + later));
            let slot = slot_at(id, interval, now);
            prop_assert!(slot <= now && now - slot < interval);
            prop_assert_eq!(slot_at(id, interval, slot), slot);
            prop_assert_eq!(next_slot(id, interval, now), slot + interval);
            prop_assert_eq!((slot_at(id, interval, later) - slot).num_milliseconds() % interval.num_milliseconds(), 0);
        }

        #[test]
        fn a_claimed_slot_is_never_in_the_future_and_never_older_than_one_interval(id: u128, seconds in 1i64..86_400, due in 0i64..4_000_000_000_000, now in 0i64..4_000_000_000_000) {
            let (id, interval) = (Uuid::from_u128(id), Duration::seconds(seconds));
            let slot = claimed_slot(id, interval, datetime_from_ms(due), datetime_from_ms(now));
            prop_assert!(slot <= datetime_from_ms(now) && datetime_from_ms(now) - slot < interval);
        }
    }

    #[test]
    fn ten_thousand_services_of_one_interval_are_spread_over_it() {
        let interval = Duration::seconds(30);
        let mut per_second = [0u32; 30];
        for i in 0..10_000u64 {
            let id = Uuid::from_u64_pair(7, i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let phase = slot_at(id, interval, datetime_from_ms(3_000_000)).timestamp() % 30;
            per_second[usize::try_from(phase).unwrap()] += 1;
        }
        assert!(
            per_second.iter().all(|n| (250..420).contains(n)),
            "{per_second:?}"
        );
    }
}
