//! After a stall, spreads overdue checks over time, but never past a service's next slot.

use chrono::{DateTime, TimeDelta, Utc};
use domain::slot;
use uuid::Uuid;

/// Time between two overdue checks: a thousand a second is a fraction of what a worker can do.
const STEP: TimeDelta = TimeDelta::milliseconds(1);
/// A scheduler that claimed nothing for longer was stalled: it was overloaded, the machine slept, or
/// Redis or the database was away.
const STALL: TimeDelta = TimeDelta::seconds(2);

/// Hands out times, [`STEP`] apart.
#[derive(Debug)]
pub(crate) struct SlotSpreader {
    next: DateTime<Utc>,
}

impl SlotSpreader {
    pub(crate) const fn from(start: DateTime<Utc>) -> Self {
        Self { next: start }
    }

    /// Returns the next free time, but not after the next slot of `service`: slots are spread already.
    pub(crate) fn next_time(
        &mut self,
        service: Uuid,
        interval: TimeDelta,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let next_slot = slot::next_slot(service, interval, now);
        let free = self.next.max(now);
        if free >= next_slot {
            return next_slot;
        }
        self.next = free + STEP;
        free
    }
}

/// Spreads what a scheduler claims after a stall.
#[derive(Debug)]
pub(crate) struct CatchUpSpreader {
    last_claim_at: DateTime<Utc>,
    /// When the last stall ended.
    stall_ended_at: DateTime<Utc>,
    spreader: SlotSpreader,
}

impl CatchUpSpreader {
    /// A spreader for a scheduler that has just started: it counts as stalled until its first claim.
    pub(crate) const fn new() -> Self {
        let never = DateTime::<Utc>::MIN_UTC;
        Self {
            last_claim_at: never,
            stall_ended_at: never,
            spreader: SlotSpreader::from(never),
        }
    }

    /// Notes a claim at `now`.
    pub(crate) fn note_claim(&mut self, now: DateTime<Utc>) {
        if now.signed_duration_since(self.last_claim_at) > STALL {
            self.stall_ended_at = now;
        }
        self.last_claim_at = now;
    }

    /// Returns until when to delay the check of a service that missed a slot in the stall; `None` to
    /// check it now. A check is delayed once at most.
    pub(crate) fn spread(
        &mut self,
        service: Uuid,
        interval: TimeDelta,
        due: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let now = self.last_claim_at;
        if due >= self.stall_ended_at || due >= slot::slot_at(service, interval, now) {
            return None;
        }
        let until = self.spreader.next_time(service, interval, now);
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: TimeDelta = TimeDelta::seconds(20);

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_700_000_000_000 + ms).unwrap()
    }

    fn service(number: u64) -> Uuid {
        Uuid::from_u64_pair(7, number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    #[test]
    fn forty_thousand_services_are_spread_and_none_waits_beyond_its_next_slot() {
        let mut catch_up = CatchUpSpreader::new();
        catch_up.note_claim(at(0));
        let mut per_second = [0; 20];
        for number in 0..40_000 {
            let until = catch_up
                .spread(service(number), INTERVAL, at(-60_000))
                .unwrap_or(at(0));
            assert!(until <= slot::next_slot(service(number), INTERVAL, at(0)));
            per_second[usize::try_from((until - at(0)).num_seconds().min(19)).unwrap()] += 1;
        }
        // Two thousand a second are due by their slots, and a thousand more are made up for.
        assert!(
            per_second.iter().all(|count| *count < 3_300),
            "{per_second:?}"
        );
        assert!(
            per_second[..10].iter().all(|count| *count > 1_000),
            "{per_second:?}"
        );
    }

    #[test]
    fn a_few_services_are_made_up_for_at_once() {
        let mut catch_up = CatchUpSpreader::new();
        catch_up.note_claim(at(0));
        let waits = (0..30).map(|number| {
            catch_up
                .spread(service(number), INTERVAL, at(-60_000))
                .unwrap_or(at(0))
                - at(0)
        });
        assert!(waits.max().unwrap() < TimeDelta::milliseconds(30));
    }

    #[test]
    fn only_what_missed_a_slot_in_a_stall_is_delayed_and_once() {
        let mut catch_up = CatchUpSpreader::new();
        catch_up.note_claim(at(0));
        let spread = |catch_up: &mut CatchUpSpreader, due| {
            catch_up.spreader =
                SlotSpreader::from(catch_up.last_claim_at + TimeDelta::milliseconds(1));
            catch_up.spread(service(1), INTERVAL, due)
        };
        let until = spread(&mut catch_up, at(-40_000)).unwrap();
        let slot = slot::slot_at(service(1), INTERVAL, at(0));
        assert_eq!(
            spread(&mut catch_up, slot),
            None,
            "it is for its latest slot"
        );
        assert_eq!(spread(&mut catch_up, until), None);
        // Late without a stall means overload, and waiting would not help.
        (1..100).for_each(|second| catch_up.note_claim(at(second * 1000)));
        assert_eq!(spread(&mut catch_up, at(10_000)), None);
        catch_up.note_claim(at(200_000));
        assert!(
            spread(&mut catch_up, at(10_000)).is_some(),
            "the machine slept"
        );
        // The clock was set back: nothing is late by it.
        catch_up.note_claim(at(0));
        assert_eq!(spread(&mut catch_up, at(10_000)), None);
    }
}
