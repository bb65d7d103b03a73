//! When this worker looks for what is due, if there are several. Whoever looks takes all that is due: if each looked as soon
//! as something is, whoever is a little quicker than the others would have most of the work. So each has moments of its
//! own, by the clock that all share, and all moments are equally far apart. What one leaves, the next one takes.

use chrono::{DateTime, Utc};
use coordination::WorkerPresence;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;
use uuid::Uuid;

/// How far the moments of two workers are apart, in milliseconds: much more than their clocks differ, and little to wait.
const APART: i64 = 8;
/// In how many milliseconds each worker has a moment, while that leaves at least one from each to the next.
const ROUND: i64 = 100;

/// This worker's place among all, and how many there are. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Known>);

#[derive(Debug)]
struct Known {
    place: AtomicI64,
    workers: AtomicI64,
}

impl Turns {
    /// Of a worker that knows of no other one.
    pub(crate) fn alone() -> Self {
        Self(Arc::new(Known {
            place: AtomicI64::new(0),
            workers: AtomicI64::new(1),
        }))
    }

    /// Learns which workers there are, in an order on which they agree. Those not heard of for `fresh`, while others were,
    /// have ended without a word and have no moments any more.
    pub(crate) fn learn(&self, me: Uuid, workers: &[WorkerPresence], fresh: Duration) {
        let latest = workers.iter().map(|present| present.last_seen_at).max();
        let at_work = |present: &&WorkerPresence| {
            latest.is_some_and(|latest| {
                (latest - present.last_seen_at).to_std().unwrap_or_default() <= fresh
            })
        };
        let workers: Vec<_> = workers.iter().filter(at_work).collect();
        let place = workers.iter().position(|present| present.worker.id == me);
        // One that is not listed, because the live state has lost that, looks as it likes until it is.
        let (place, workers) = place.map_or((0, 1), |place| (place, workers.len()));
        self.0
            .place
            .store(i64::try_from(place).unwrap_or(0), Relaxed);
        self.0
            .workers
            .store(i64::try_from(workers).unwrap_or(1), Relaxed);
    }

    /// How long it is from `now` until this worker's first moment that is no sooner than `wait`.
    pub(crate) fn after(&self, wait: Duration, now: DateTime<Utc>) -> Duration {
        let (place, workers) = (self.0.place.load(Relaxed), self.0.workers.load(Relaxed));
        if workers <= 1 {
            return wait;
        }
        let earliest =
            now.timestamp_millis() + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
        let apart = APART.min(ROUND / workers).max(1);
        let more = (place * apart - earliest).rem_euclid(workers * apart);
        wait + Duration::from_millis(more.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coordination::Worker;

    const FRESH: Duration = Duration::from_secs(15);

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_700_000_000_000 + ms).unwrap()
    }

    fn workers(count: u128) -> Vec<WorkerPresence> {
        let worker = |id| Worker {
            id: Uuid::from_u128(id),
            host: String::new(),
            version: String::new(),
            started_at: at(0),
        };
        (0..count)
            .map(|id| WorkerPresence {
                worker: worker(id),
                last_seen_at: at(0),
            })
            .collect()
    }

    fn turns_of(me: u128, count: u128) -> Turns {
        let turns = Turns::alone();
        turns.learn(Uuid::from_u128(me), &workers(count), FRESH);
        turns
    }

    #[test]
    fn the_moments_of_all_are_equally_far_apart() {
        for count in [2, 3, 4, 7] {
            let mut moments = Vec::new();
            for me in 0..count {
                let (turns, mut now) = (turns_of(me, count), 0);
                while now < 1000 {
                    let wait = turns.after(Duration::from_millis(3), at(now));
                    assert!(wait >= Duration::from_millis(3));
                    now += i64::try_from(wait.as_millis()).unwrap();
                    moments.push(now);
                }
            }
            moments.sort_unstable();
            // At the ends some have begun and ended before the others.
            let middle: Vec<_> = moments
                .into_iter()
                .filter(|moment| (100..900).contains(moment))
                .collect();
            assert!(middle.len() > 95, "{count}: {middle:?}");
            assert!(
                middle.windows(2).all(|two| two[1] - two[0] == APART),
                "{count}: {middle:?}"
            );
        }
    }

    #[test]
    fn it_is_the_first_moment_that_is_no_sooner() {
        let turns = turns_of(1, 4);
        let begin = (0..32)
            .find(|ms| turns.after(Duration::ZERO, at(*ms)).is_zero())
            .unwrap();
        for wait in 0..200u64 {
            let until = u64::try_from(
                turns
                    .after(Duration::from_millis(wait), at(begin))
                    .as_millis(),
            )
            .unwrap();
            assert_eq!(until, wait.div_ceil(32) * 32);
        }
    }

    #[test]
    fn who_ended_without_a_word_has_no_moments_and_many_wait_no_longer_than_few() {
        let mut present = workers(300);
        present[..298]
            .iter_mut()
            .for_each(|ghost| ghost.last_seen_at = at(-15_001));
        let turns = Turns::alone();
        turns.learn(Uuid::from_u128(299), &present, FRESH);
        let longest = |turns: &Turns| {
            (0..1000)
                .map(|ms| turns.after(Duration::ZERO, at(ms)))
                .max()
                .unwrap()
        };
        assert_eq!(longest(&turns), Duration::from_millis(15));
        for count in [12, 13, 40, 100] {
            let longest = longest(&turns_of(0, count));
            assert!(
                longest > Duration::from_millis(70) && longest <= Duration::from_millis(100),
                "{count}: {longest:?}"
            );
        }
    }

    #[test]
    fn whoever_knows_of_no_other_does_not_wait_longer() {
        let wait = Duration::from_micros(2500);
        let turns = turns_of(3, 4);
        assert!((0..40).any(|ms| turns.after(wait, at(ms)) != wait));
        turns.learn(Uuid::from_u128(3), &workers(2), FRESH);
        for turns in [Turns::alone(), turns_of(0, 1), turns] {
            assert!((0..40).all(|ms| turns.after(wait, at(ms)) == wait));
        }
    }
}
