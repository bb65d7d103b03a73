//! Keeps what is due all at once from being checked all at once, without letting anything wait for longer than it would
//! have to anyhow: until its next slot.

use chrono::{DateTime, TimeDelta, Utc};
use domain::slot;
use uuid::Uuid;

/// How far apart services are that are to be made up for: a thousand a second is a fraction of what a worker can do.
const STEP: TimeDelta = TimeDelta::milliseconds(1);
/// A scheduler that claimed nothing for longer paused: it was busy, or asleep with the machine, or Redis or the database
/// was away.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

/// Gives out moments, one after the other.
#[derive(Debug)]
pub(crate) struct Spread {
    next: DateTime<Utc>,
}

impl Spread {
    pub(crate) const fn from(start: DateTime<Utc>) -> Self {
        Self { next: start }
    }

    /// The next moment that is free, but not after the next slot of `service`: slots are spread already.
    pub(crate) fn place(
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

/// What a scheduler claims after a pause.
#[derive(Debug)]
pub(crate) struct AfterPause {
    claimed: DateTime<Utc>,
    /// When the last pause was over.
    over: DateTime<Utc>,
    spread: Spread,
}

impl AfterPause {
    /// A scheduler that has just been started paused until now.
    pub(crate) const fn new() -> Self {
        let never = DateTime::<Utc>::MIN_UTC;
        Self {
            claimed: never,
            over: never,
            spread: Spread::from(never),
        }
    }

    /// Notes that something may have been claimed at `now`.
    pub(crate) fn claimed(&mut self, now: DateTime<Utc>) {
        if now.signed_duration_since(self.claimed) > PAUSE {
            self.over = now;
        }
        self.claimed = now;
    }

    /// When a service is better checked, if that is not now: it missed a slot in the pause, as many others may have. What
    /// was put off once is not put off again.
    pub(crate) fn put_off(
        &mut self,
        service: Uuid,
        interval: TimeDelta,
        due: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let now = self.claimed;
        if due >= self.over || due >= slot::slot_at(service, interval, now) {
            return None;
        }
        let until = self.spread.place(service, interval, now);
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
        let mut after = AfterPause::new();
        after.claimed(at(0));
        let mut per_second = [0; 20];
        for number in 0..40_000 {
            let until = after
                .put_off(service(number), INTERVAL, at(-60_000))
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
        let mut after = AfterPause::new();
        after.claimed(at(0));
        let waits = (0..30).map(|number| {
            after
                .put_off(service(number), INTERVAL, at(-60_000))
                .unwrap_or(at(0))
                - at(0)
        });
        assert!(waits.max().unwrap() < TimeDelta::milliseconds(30));
    }

    #[test]
    fn only_what_missed_a_slot_in_a_pause_is_put_off_and_only_once() {
        let mut after = AfterPause::new();
        after.claimed(at(0));
        let put_off = |after: &mut AfterPause, due| {
            after.spread = Spread::from(after.claimed + TimeDelta::milliseconds(1));
            after.put_off(service(1), INTERVAL, due)
        };
        let until = put_off(&mut after, at(-40_000)).unwrap();
        let slot = slot::slot_at(service(1), INTERVAL, at(0));
        assert_eq!(put_off(&mut after, slot), None, "it is for its latest slot");
        assert_eq!(put_off(&mut after, until), None);
        // Late without a pause: there is more to do than can be done, and waiting would not make it less.
        (1..100).for_each(|second| after.claimed(at(second * 1000)));
        assert_eq!(put_off(&mut after, at(10_000)), None);
        after.claimed(at(200_000));
        assert!(
            put_off(&mut after, at(10_000)).is_some(),
            "the machine slept"
        );
        // The clock was set back: nothing is late by it.
        after.claimed(at(0));
        assert_eq!(put_off(&mut after, at(10_000)), None);
    }
}
