//! The due queue.

use crate::{Two, eventually, in_time, over_both, seconds_from_now, service};
use chrono::TimeDelta;
use coordination::Coordination;
use std::collections::HashSet;
use std::time::Duration;

over_both!(
    the_longest_overdue_come_first_up_to_the_limit,
    services_due_at_the_same_time_come_in_the_order_of_their_ids,
    no_service_is_claimed_twice_by_concurrent_workers,
    a_claim_passes_to_another_worker_when_its_lease_is_over,
    a_completed_claim_sets_the_next_due_time_once,
    a_reschedule_made_meanwhile_wins,
    a_removal_made_meanwhile_wins,
    a_released_claim_is_due_again_when_it_was,
    an_extended_claim_lasts_longer_and_replaces_the_old_one,
    a_void_claim_cannot_be_extended,
    ensure_adds_only_what_is_absent,
    the_last_due_time_given_for_a_service_counts,
    an_empty_queue_has_nothing_due_whether_built_or_not,
    a_queue_is_built_once_it_is_marked,
    instants_are_cut_to_milliseconds,
    a_lease_of_no_time_still_identifies_its_claim,
    thousands_of_services_are_handled_in_one_call,
    a_waiter_is_woken_by_a_change,
);

const LEASE: Duration = Duration::from_secs(60);

async fn due_of_the_only_service(
    coordination: &Coordination,
) -> Option<chrono::DateTime<chrono::Utc>> {
    coordination.claim(0, LEASE).await.unwrap().next_due
}

async fn the_longest_overdue_come_first_up_to_the_limit(two: Two) {
    let dues = [
        (service(1), -1),
        (service(2), -3),
        (service(3), 3600),
        (service(4), -2),
    ];
    let dues = dues.map(|(id, seconds)| (id, seconds_from_now(seconds)));
    two.a.schedule(&dues).await.unwrap();

    let first = two.b.claim(2, LEASE).await.unwrap();
    let claimed: Vec<_> = first
        .claims
        .iter()
        .map(|claim| (claim.service_id, claim.due))
        .collect();
    assert_eq!(claimed, [dues[1], dues[3]]);
    assert_eq!(first.next_due, Some(dues[0].1), "the limit cut it short");
    let last_end = first.now + TimeDelta::from_std(LEASE).unwrap();
    let ends = || first.claims.iter().map(|claim| claim.lease_until);
    assert_eq!(ends().max(), Some(last_end));
    assert!(
        ends().all(|end| last_end - end < TimeDelta::seconds(5)),
        "{:?}",
        first.claims
    );
    assert!((first.now - two.a.now().await.unwrap()).abs() < TimeDelta::seconds(5));

    let second = two.a.claim(10, LEASE).await.unwrap();
    assert_eq!(
        second
            .claims
            .iter()
            .map(|claim| claim.service_id)
            .collect::<Vec<_>>(),
        [service(1)]
    );
    assert_eq!(second.next_due, ends().min(), "a lease that ends is due");
    assert!(two.b.claim(10, LEASE).await.unwrap().claims.is_empty());
    assert_eq!(two.b.queue_len().await.unwrap(), 4);
}

async fn services_due_at_the_same_time_come_in_the_order_of_their_ids(two: Two) {
    let due = seconds_from_now(-1);
    let mut ids: Vec<_> = (0..100).map(service).collect();
    two.a
        .schedule(&ids.iter().rev().map(|id| (*id, due)).collect::<Vec<_>>())
        .await
        .unwrap();
    let claims = two.a.claim(100, LEASE).await.unwrap().claims;
    ids.sort();
    assert_eq!(
        claims
            .iter()
            .map(|claim| claim.service_id)
            .collect::<Vec<_>>(),
        ids
    );
}

async fn no_service_is_claimed_twice_by_concurrent_workers(two: Two) {
    let dues: Vec<_> = (0..2000)
        .map(|i| (service(i), seconds_from_now(-1)))
        .collect();
    two.a.schedule(&dues).await.unwrap();
    let workers: Vec<_> = (0..16)
        .map(|worker| {
            let coordination = if worker % 2 == 0 {
                two.a.clone()
            } else {
                two.b.clone()
            };
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claims = coordination.claim(7 + worker, LEASE).await.unwrap().claims;
                    if claims.is_empty() {
                        return mine;
                    }
                    mine.extend(claims.into_iter().map(|claim| claim.service_id));
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(in_time(worker).await.unwrap());
    }
    assert_eq!(all.len(), 2000);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 2000);
}

async fn a_claim_passes_to_another_worker_when_its_lease_is_over(two: Two) {
    let due = seconds_from_now(-1);
    two.a.schedule(&[(service(1), due)]).await.unwrap();
    // Long enough for another claim to come before its end.
    let lost = two
        .a
        .claim(1, Duration::from_millis(800))
        .await
        .unwrap()
        .claims[0];
    assert!(
        two.b.claim(1, LEASE).await.unwrap().claims.is_empty(),
        "it is leased"
    );

    let mut taken = None;
    while taken.is_none() {
        let claimed = in_time(two.b.claim(1, LEASE)).await.unwrap();
        assert!(
            claimed.claims.is_empty() || claimed.now >= lost.lease_until,
            "not before the lease is over"
        );
        taken = claimed.claims.first().copied();
    }
    let taken = taken.unwrap();
    assert_eq!(
        (taken.service_id, taken.due),
        (service(1), lost.lease_until)
    );

    assert_eq!(
        two.a
            .complete(&[(lost, seconds_from_now(30))])
            .await
            .unwrap(),
        0,
        "it is another's now"
    );
    assert_eq!(
        due_of_the_only_service(&two.a).await,
        Some(taken.lease_until)
    );
    assert_eq!(
        two.b
            .complete(&[(taken, seconds_from_now(30))])
            .await
            .unwrap(),
        1
    );
}

async fn a_completed_claim_sets_the_next_due_time_once(two: Two) {
    two.a
        .schedule(&[(service(1), seconds_from_now(-1))])
        .await
        .unwrap();
    let claim = two.a.claim(1, LEASE).await.unwrap().claims[0];
    let (next, later) = (seconds_from_now(30), seconds_from_now(40));
    assert_eq!(
        two.b
            .complete(&[(claim, next), (claim, later)])
            .await
            .unwrap(),
        1
    );
    assert_eq!(two.a.complete(&[(claim, later)]).await.unwrap(), 0);
    assert_eq!(due_of_the_only_service(&two.a).await, Some(next));
}

async fn a_reschedule_made_meanwhile_wins(two: Two) {
    two.a
        .schedule(&[(service(1), seconds_from_now(-1))])
        .await
        .unwrap();
    let claim = two.a.claim(1, LEASE).await.unwrap().claims[0];
    let rescheduled = seconds_from_now(5);
    two.b.schedule(&[(service(1), rescheduled)]).await.unwrap();
    assert_eq!(
        two.a
            .complete(&[(claim, seconds_from_now(30))])
            .await
            .unwrap(),
        0
    );
    assert_eq!(due_of_the_only_service(&two.a).await, Some(rescheduled));
}

async fn a_removal_made_meanwhile_wins(two: Two) {
    let dues = [
        (service(1), seconds_from_now(-1)),
        (service(2), seconds_from_now(-1)),
    ];
    two.a.schedule(&dues).await.unwrap();
    let claims = two.a.claim(2, LEASE).await.unwrap().claims;
    two.b.remove(&[service(1), service(3)]).await.unwrap();
    let next = seconds_from_now(30);
    assert_eq!(
        two.a
            .complete(
                &claims
                    .iter()
                    .map(|claim| (*claim, next))
                    .collect::<Vec<_>>()
            )
            .await
            .unwrap(),
        1
    );
    assert_eq!(two.a.queue_len().await.unwrap(), 1);
    assert_eq!(two.a.release(&claims).await.unwrap(), 0);
    assert_eq!(due_of_the_only_service(&two.b).await, Some(next));
}

async fn a_released_claim_is_due_again_when_it_was(two: Two) {
    let due = seconds_from_now(-7);
    two.a.schedule(&[(service(1), due)]).await.unwrap();
    let claims = two.a.claim(1, LEASE).await.unwrap().claims;
    assert_eq!(two.a.release(&claims).await.unwrap(), 1);
    let again = two.b.claim(1, LEASE).await.unwrap().claims[0];
    assert_eq!((again.service_id, again.due), (service(1), due));
}

async fn an_extended_claim_lasts_longer_and_replaces_the_old_one(two: Two) {
    two.a
        .schedule(&[(service(1), seconds_from_now(-1))])
        .await
        .unwrap();
    let old = two.a.claim(1, Duration::from_secs(5)).await.unwrap().claims[0];
    let mut claim = old;
    assert!(two.a.extend(&mut claim, LEASE).await.unwrap());
    assert!(
        claim.lease_until > old.lease_until + TimeDelta::seconds(30),
        "{old:?} {claim:?}"
    );
    assert_eq!((claim.service_id, claim.due), (old.service_id, old.due));
    assert_eq!(
        due_of_the_only_service(&two.b).await,
        Some(claim.lease_until)
    );
    assert_eq!(
        two.b.complete(&[(old, seconds_from_now(1))]).await.unwrap(),
        0
    );
    assert_eq!(
        two.b
            .complete(&[(claim, seconds_from_now(1))])
            .await
            .unwrap(),
        1
    );
}

async fn a_void_claim_cannot_be_extended(two: Two) {
    two.a
        .schedule(&[
            (service(1), seconds_from_now(-1)),
            (service(2), seconds_from_now(-1)),
        ])
        .await
        .unwrap();
    let mut claims = two.a.claim(2, LEASE).await.unwrap().claims;
    two.b
        .schedule(&[(service(1), seconds_from_now(50))])
        .await
        .unwrap();
    two.b.remove(&[service(2)]).await.unwrap();
    for claim in &mut claims {
        let before = *claim;
        assert!(!two.a.extend(claim, LEASE).await.unwrap());
        assert_eq!(*claim, before);
    }
    assert_eq!(two.a.queue_len().await.unwrap(), 1);
}

async fn ensure_adds_only_what_is_absent(two: Two) {
    let (due, other) = (seconds_from_now(-1), seconds_from_now(-2));
    two.a
        .schedule(&[(service(1), seconds_from_now(-3)), (service(2), due)])
        .await
        .unwrap();
    let claim = two.a.claim(1, LEASE).await.unwrap().claims[0];
    two.b
        .ensure(&[
            (service(1), other),
            (service(2), other),
            (service(3), other),
        ])
        .await
        .unwrap();
    let claims = two.b.claim(10, LEASE).await.unwrap().claims;
    let claims: Vec<_> = claims
        .into_iter()
        .map(|claim| (claim.service_id, claim.due))
        .collect();
    assert_eq!(
        claims,
        [(service(3), other), (service(2), due)],
        "the claimed one stays claimed"
    );
    assert_eq!(two.a.complete(&[(claim, due)]).await.unwrap(), 1);
}

async fn the_last_due_time_given_for_a_service_counts(two: Two) {
    let (first, last) = (seconds_from_now(10), seconds_from_now(20));
    two.a
        .schedule(&[(service(1), first), (service(1), last)])
        .await
        .unwrap();
    assert_eq!(due_of_the_only_service(&two.a).await, Some(last));
    two.a.ensure(&[(service(1), first)]).await.unwrap();
    assert_eq!(
        (
            two.a.queue_len().await.unwrap(),
            due_of_the_only_service(&two.a).await
        ),
        (1, Some(last))
    );
}

async fn an_empty_queue_has_nothing_due_whether_built_or_not(two: Two) {
    for built in [false, true] {
        let claimed = two.a.claim(10, LEASE).await.unwrap();
        assert_eq!(
            (claimed.claims.len(), claimed.next_due, claimed.built),
            (0, None, built)
        );
        assert_eq!(two.b.queue_len().await.unwrap(), 0);
        two.a.mark_built().await.unwrap();
    }
}

async fn a_queue_is_built_once_it_is_marked(two: Two) {
    two.a
        .ensure(&[(service(1), seconds_from_now(-1))])
        .await
        .unwrap();
    assert!(
        !two.b.claim(0, LEASE).await.unwrap().built,
        "a service alone does not make it whole"
    );
    two.a.mark_built().await.unwrap();
    two.a.mark_built().await.unwrap();
    let claimed = two.b.claim(10, LEASE).await.unwrap();
    assert_eq!((claimed.built, claimed.claims.len()), (true, 1));
    two.a.remove(&[service(1)]).await.unwrap();
    assert!(
        two.b.claim(10, LEASE).await.unwrap().built,
        "a built queue may be empty"
    );
}

async fn instants_are_cut_to_milliseconds(two: Two) {
    let due = seconds_from_now(-1);
    two.a
        .schedule(&[(service(1), due + TimeDelta::nanoseconds(999_999))])
        .await
        .unwrap();
    let claimed = two
        .a
        .claim(1, Duration::from_nanos(60_000_999_999))
        .await
        .unwrap();
    let claim = claimed.claims[0];
    assert_eq!(
        (claim.due, claim.lease_until),
        (due, claimed.now + TimeDelta::seconds(60))
    );
    assert_eq!(claimed.now.timestamp_subsec_nanos() % 1_000_000, 0);
    assert_eq!(
        two.a
            .complete(&[(claim, due + TimeDelta::microseconds(1))])
            .await
            .unwrap(),
        1
    );
    assert_eq!(due_of_the_only_service(&two.a).await, Some(due));
}

async fn a_lease_of_no_time_still_identifies_its_claim(two: Two) {
    two.a
        .schedule(&[(service(1), seconds_from_now(-1))])
        .await
        .unwrap();
    let claimed = two.a.claim(1, Duration::ZERO).await.unwrap();
    assert_eq!(
        claimed.claims[0].lease_until,
        claimed.now + TimeDelta::milliseconds(1)
    );
}

async fn thousands_of_services_are_handled_in_one_call(two: Two) {
    let due = seconds_from_now(-1);
    let dues: Vec<_> = (0..5000).map(|i| (service(i), due)).collect();
    two.a.ensure(&dues).await.unwrap();
    assert_eq!(two.b.queue_len().await.unwrap(), 5000);
    let claims = two.b.claim(5000, LEASE).await.unwrap().claims;
    assert_eq!(claims.len(), 5000);
    let next = seconds_from_now(30);
    let done = two
        .b
        .complete(
            &claims
                .iter()
                .map(|claim| (*claim, next))
                .collect::<Vec<_>>(),
        )
        .await
        .unwrap();
    assert_eq!(
        (done, due_of_the_only_service(&two.a).await),
        (5000, Some(next))
    );
    two.a
        .remove(&dues.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .await
        .unwrap();
    assert_eq!(two.b.queue_len().await.unwrap(), 0);
}

async fn a_waiter_is_woken_by_a_change(two: Two) {
    let coordination = two.a.clone();
    let waiting = tokio::spawn(async move { coordination.due_changed().await });
    two.a
        .schedule(&[(service(1), seconds_from_now(-1))])
        .await
        .unwrap();
    in_time(waiting).await.unwrap();
    two.a
        .ensure(&[(service(2), seconds_from_now(-1))])
        .await
        .unwrap();
    in_time(two.a.due_changed()).await;
    eventually("both are claimed", || async {
        !two.a.claim(2, LEASE).await.unwrap().claims.is_empty()
    })
    .await;
}
