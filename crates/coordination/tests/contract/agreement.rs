//! Memory and Redis agree: whatever is done to both, in whatever order, gives the same answers.

use crate::{Two, service};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use coordination::{Claim, Coordination};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::time::Duration;
use uuid::Uuid;

/// Far longer than the test takes, so that no lease ends and nothing gets due by the passing of time.
const LEASE: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone)]
enum Step {
    Schedule(Vec<(u8, i64)>),
    Ensure(Vec<(u8, i64)>),
    Remove(Vec<u8>),
    Claim(usize),
    /// Completes the claim with that number, of all that were ever made.
    Complete(Vec<(usize, i64)>),
    Release(Vec<usize>),
    Extend(usize),
    MarkBuilt,
    Len,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // In seconds from the start: long ago or far ahead.
    let due = || prop_oneof![-1000i64..-100, 100_000i64..101_000];
    let dues = move || prop::collection::vec((0u8..12, due()), 0..6);
    let step = prop_oneof![
        3 => dues().prop_map(Step::Schedule),
        2 => dues().prop_map(Step::Ensure),
        1 => prop::collection::vec(0u8..12, 0..4).prop_map(Step::Remove),
        4 => (0usize..6).prop_map(Step::Claim),
        4 => prop::collection::vec((0usize..50, due()), 0..6).prop_map(Step::Complete),
        1 => prop::collection::vec(0usize..50, 0..4).prop_map(Step::Release),
        2 => (0usize..50).prop_map(Step::Extend),
        1 => Just(Step::MarkBuilt),
        1 => Just(Step::Len),
    ];
    prop::collection::vec(step, 1..60)
}

/// One of the two, with every claim that it ever gave.
struct Side {
    coordination: Coordination,
    claims: Vec<Claim>,
    base: DateTime<Utc>,
}

impl Side {
    /// Does `step` and tells what came of it in words that do not depend on when it was done.
    async fn take(&mut self, step: &Step) -> String {
        let at = |seconds: i64| self.base + TimeDelta::seconds(seconds);
        let dues = |dues: &[(u8, i64)]| -> Vec<(Uuid, DateTime<Utc>)> {
            dues.iter()
                .map(|(id, due)| (service((*id).into()), at(*due)))
                .collect()
        };
        let claim = |number: usize| {
            (!self.claims.is_empty()).then(|| self.claims[number % self.claims.len()])
        };
        match step {
            Step::Schedule(list) => format!(
                "{:?}",
                self.coordination.schedule(&dues(list)).await.unwrap()
            ),
            Step::Ensure(list) => {
                format!("{:?}", self.coordination.ensure(&dues(list)).await.unwrap())
            }
            Step::Remove(ids) => {
                let ids: Vec<_> = ids.iter().map(|id| service((*id).into())).collect();
                format!("{:?}", self.coordination.remove(&ids).await.unwrap())
            }
            Step::Claim(limit) => {
                let claimed = self.coordination.claim(*limit, LEASE).await.unwrap();
                let ids: Vec<_> = claimed
                    .claims
                    .iter()
                    .map(|c| (c.service_id, self.words(c.due)))
                    .collect();
                let described = format!(
                    "{ids:?} {:?} {}",
                    claimed.next_due.map(|due| self.words(due)),
                    claimed.built
                );
                self.claims.extend(claimed.claims);
                // Two claims in one millisecond would have one lease, whose order is that of their ids.
                tokio::time::sleep(Duration::from_millis(2)).await;
                described
            }
            Step::Complete(list) => {
                let list: Vec<_> = list
                    .iter()
                    .filter_map(|(n, due)| Some((claim(*n)?, at(*due))))
                    .collect();
                self.coordination.complete(&list).await.unwrap().to_string()
            }
            Step::Release(numbers) => {
                let list: Vec<_> = numbers.iter().filter_map(|number| claim(*number)).collect();
                self.coordination.release(&list).await.unwrap().to_string()
            }
            Step::Extend(number) => {
                let Some(mut extended) = claim(*number) else {
                    return String::new();
                };
                let done = self
                    .coordination
                    .extend(&mut extended, LEASE)
                    .await
                    .unwrap();
                self.claims.push(extended);
                tokio::time::sleep(Duration::from_millis(2)).await;
                done.to_string()
            }
            Step::MarkBuilt => format!("{:?}", self.coordination.mark_built().await.unwrap()),
            Step::Len => self.coordination.queue_len().await.unwrap().to_string(),
        }
    }

    /// A due time that was given exactly, the end of a lease as such.
    fn words(&self, due: DateTime<Utc>) -> String {
        let seconds = (due - self.base).num_seconds();
        if (0..50_000).contains(&seconds) {
            "a lease".to_owned()
        } else {
            format!("{:?}", due - self.base)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_redis_answer_any_sequence_of_steps_alike() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..60 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let base = Utc::now().trunc_subsecs(3);
        let side = |coordination| Side {
            coordination,
            claims: Vec::new(),
            base,
        };
        let (mut memory, mut redis) = (side(Two::in_memory().a), side(Two::in_redis().await.a));
        for (number, step) in steps.iter().enumerate() {
            let (expected, found) = tokio::join!(memory.take(step), redis.take(step));
            assert_eq!(expected, found, "step {number} of {steps:#?}");
        }
    }
}
