//! The status cache.

use crate::{Two, over_both, seconds_from_now, service};
use coordination::{CachedStatus, CurrentStatus};
use domain::Status;
use uuid::Uuid;

over_both!(
    statuses_come_in_the_order_asked_for_with_gaps,
    a_later_slot_wins_in_any_order_of_arrival,
    an_evicted_status_is_a_miss,
    thousands_of_statuses_are_handled_in_one_call,
);

pub(crate) fn cached(service_id: Uuid, slot: i64, status: Status) -> CachedStatus {
    let current = CurrentStatus {
        status,
        since: seconds_from_now(-1000),
        checked_at: seconds_from_now(slot),
        response_time_ms: (status != Status::Down).then_some(123),
        status_code: (status == Status::Up).then_some(200),
        message: (status == Status::Down)
            .then(|| "name does not resolve: \"bücher.example\" \u{1F4DA}".to_owned()),
    };
    CachedStatus {
        service_id,
        slot: seconds_from_now(slot),
        current,
    }
}

async fn statuses_come_in_the_order_asked_for_with_gaps(two: Two) {
    let (up, down) = (
        cached(service(1), 0, Status::Up),
        cached(service(2), 0, Status::Down),
    );
    two.a
        .cache_statuses(&[up.clone(), down.clone()])
        .await
        .unwrap();
    let asked = [service(2), service(3), service(1), service(2)];
    let found = two.b.cached_statuses(&asked).await.unwrap();
    assert_eq!(found, [Some(down.clone()), None, Some(up), Some(down)]);
    assert_eq!(two.b.cached_statuses(&[]).await.unwrap(), []);
}

async fn a_later_slot_wins_in_any_order_of_arrival(two: Two) {
    let id = service(1);
    let (earlier, later) = (cached(id, 0, Status::Down), cached(id, 30, Status::Up));
    two.a
        .cache_statuses(std::slice::from_ref(&later))
        .await
        .unwrap();
    two.b
        .cache_statuses(std::slice::from_ref(&earlier))
        .await
        .unwrap();
    assert_eq!(
        two.a.cached_statuses(&[id]).await.unwrap(),
        [Some(later.clone())]
    );

    let mut corrected = later.clone();
    corrected.current.status = Status::Unknown;
    two.a
        .cache_statuses(&[corrected.clone(), earlier])
        .await
        .unwrap();
    assert_eq!(
        two.a.cached_statuses(&[id]).await.unwrap(),
        [Some(corrected)],
        "the same slot replaces"
    );
}

async fn an_evicted_status_is_a_miss(two: Two) {
    two.a
        .cache_statuses(&[
            cached(service(1), 0, Status::Up),
            cached(service(2), 0, Status::Up),
        ])
        .await
        .unwrap();
    two.b
        .evict_statuses(&[service(1), service(9)])
        .await
        .unwrap();
    two.b.evict_statuses(&[]).await.unwrap();
    let found = two
        .a
        .cached_statuses(&[service(1), service(2)])
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, true]
    );
    let earlier = cached(service(1), -60, Status::Down);
    two.a
        .cache_statuses(std::slice::from_ref(&earlier))
        .await
        .unwrap();
    assert_eq!(
        two.a.cached_statuses(&[service(1)]).await.unwrap(),
        [Some(earlier)],
        "its slot is forgotten too"
    );
}

async fn thousands_of_statuses_are_handled_in_one_call(two: Two) {
    let all: Vec<_> = (0..3000)
        .map(|i| cached(service(i), 0, Status::Degraded))
        .collect();
    two.a.cache_statuses(&all).await.unwrap();
    let ids: Vec<_> = all.iter().map(|latest| latest.service_id).collect();
    assert_eq!(
        two.b.cached_statuses(&ids).await.unwrap(),
        all.into_iter().map(Some).collect::<Vec<_>>()
    );
    two.b.evict_statuses(&ids).await.unwrap();
    assert!(
        two.a
            .cached_statuses(&ids)
            .await
            .unwrap()
            .iter()
            .all(Option::is_none)
    );
}
