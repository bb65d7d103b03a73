//! Staggers the polls of several workers. A poll takes everything that is due, so if all workers
//! polled as soon as something is due, the fastest would get most of the work. Each worker has poll
//! slots of its own, by the clock that all share, and all slots are equally far apart.

use chrono::{DateTime, Utc};
use coordination::WorkerPresence;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;
use uuid::Uuid;

/// Time between the poll slots of two workers, in milliseconds: much more than their clocks differ,
/// and little to wait.
const SLOT_MS: i64 = 8;
/// Maximum time between two poll slots of one worker, in milliseconds, while that leaves at least one
/// millisecond between the slots of two workers.
const CYCLE_MS: i64 = 100;

/// This worker's position among all workers. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct PollStagger(Arc<Position>);

#[derive(Debug)]
struct Position {
    index: AtomicI64,
    workers: AtomicI64,
}

impl PollStagger {
    /// A stagger for a worker that knows of no other one.
    pub(crate) fn alone() -> Self {
        Self(Arc::new(Position {
            index: AtomicI64::new(0),
            workers: AtomicI64::new(1),
        }))
    }

    /// Takes over which workers there are, in an order on which they agree. A worker that was not heard
    /// of for `max_silence`, while others were, is taken for dead and gets no slots.
    pub(crate) fn update(&self, me: Uuid, workers: &[WorkerPresence], max_silence: Duration) {
        let latest = workers.iter().map(|present| present.last_seen_at).max();
        let is_alive = |present: &&WorkerPresence| {
            latest.is_some_and(|latest| {
                (latest - present.last_seen_at).to_std().unwrap_or_default() <= max_silence
            })
        };
        let workers: Vec<_> = workers.iter().filter(is_alive).collect();
        let index = workers.iter().position(|present| present.worker.id == me);
        // A worker that is not listed, because Redis was restarted, polls freely until it is.
        let (index, count) = index.map_or((0, 1), |index| (index, workers.len()));
        self.0
            .index
            .store(i64::try_from(index).unwrap_or(0), Relaxed);
        self.0
            .workers
            .store(i64::try_from(count).unwrap_or(1), Relaxed);
    }

    /// Returns the time from `now` to this worker's first poll slot that is no sooner than `wait`.
    pub(crate) fn delay(&self, wait: Duration, now: DateTime<Utc>) -> Duration {
        let index = self.0.index.load(Relaxed);
        let workers = self.0.workers.load(Relaxed);
        if workers <= 1 {
            return wait;
        }
        let earliest =
            now.timestamp_millis() + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
        let slot = SLOT_MS.min(CYCLE_MS / workers).max(1);
        let more = (index * slot - earliest).rem_euclid(workers * slot);
        wait + Duration::from_millis(more.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coordination::Worker;

    const MAX_SILENCE: Duration = Duration::from_secs(15);

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

    fn stagger_of(me: u128, count: u128) -> PollStagger {
        let stagger = PollStagger::alone();
        stagger.update(Uuid::from_u128(me), &workers(count), MAX_SILENCE);
        stagger
    }

    #[test]
    fn the_slots_of_all_workers_are_equally_far_apart() {
        for count in [2, 3, 4, 7] {
            let mut moments = Vec::new();
            for me in 0..count {
                let (stagger, mut now) = (stagger_of(me, count), 0);
                while now < 1000 {
                    let wait = stagger.delay(Duration::from_millis(3), at(now));
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
                middle.windows(2).all(|two| two[1] - two[0] == SLOT_MS),
                "{count}: {middle:?}"
            );
        }
    }

    #[test]
    fn the_delay_ends_at_the_first_slot_that_is_no_sooner() {
        let stagger = stagger_of(1, 4);
        let begin = (0..32)
            .find(|ms| stagger.delay(Duration::ZERO, at(*ms)).is_zero())
            .unwrap();
        for wait in 0..200u64 {
            let until = u64::try_from(
                stagger
                    .delay(Duration::from_millis(wait), at(begin))
                    .as_millis(),
            )
            .unwrap();
            assert_eq!(until, wait.div_ceil(32) * 32);
        }
    }

    #[test]
    fn dead_workers_have_no_slots_and_many_wait_no_longer() {
        let mut present = workers(300);
        present[..298]
            .iter_mut()
            .for_each(|ghost| ghost.last_seen_at = at(-15_001));
        let stagger = PollStagger::alone();
        stagger.update(Uuid::from_u128(299), &present, MAX_SILENCE);
        let longest = |stagger: &PollStagger| {
            (0..1000)
                .map(|ms| stagger.delay(Duration::ZERO, at(ms)))
                .max()
                .unwrap()
        };
        assert_eq!(longest(&stagger), Duration::from_millis(15));
        for count in [12, 13, 40, 100] {
            let longest = longest(&stagger_of(0, count));
            assert!(
                longest > Duration::from_millis(70) && longest <= Duration::from_millis(100),
                "{count}: {longest:?}"
            );
        }
    }

    #[test]
    fn a_worker_that_knows_of_no_other_is_not_delayed() {
        let wait = Duration::from_micros(2500);
        let stagger = stagger_of(3, 4);
        assert!((0..40).any(|ms| stagger.delay(wait, at(ms)) != wait));
        stagger.update(Uuid::from_u128(3), &workers(2), MAX_SILENCE);
        for stagger in [PollStagger::alone(), stagger_of(0, 1), stagger] {
            assert!((0..40).all(|ms| stagger.delay(wait, at(ms)) == wait));
        }
    }
}
