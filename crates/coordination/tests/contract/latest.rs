//! The latest statuses.

use crate::{Two, over_all, seconds_from_now, service};
use coordination::{CurrentStatus, Latest};
use domain::Status;
use uuid::Uuid;

over_all!(
    what_was_put_is_found_in_the_order_asked_for_with_holes,
    a_later_slot_wins_however_late_the_earlier_one_arrives,
    what_is_forgotten_is_gone,
    thousands_of_statuses_are_handled_in_one_call,
);

pub(crate) fn latest(service_id: Uuid, slot: i64, status: Status) -> Latest {
    let current = CurrentStatus {
        status,
        since: seconds_from_now(-1000),
        checked_at: seconds_from_now(slot),
        response_time_ms: (status != Status::Down).then_some(123),
        status_code: (status == Status::Up).then_some(200),
        message: (status == Status::Down)
            .then(|| "name does not resolve: \"bücher.example\" \u{1F4DA}".to_owned()),
    };
    Latest {
        service_id,
        slot: seconds_from_now(slot),
        current,
    }
}

async fn what_was_put_is_found_in_the_order_asked_for_with_holes(two: Two) {
    let (up, down) = (
        latest(service(1), 0, Status::Up),
        latest(service(2), 0, Status::Down),
    );
    two.a.put_latest(&[up.clone(), down.clone()]).await.unwrap();
    let asked = [service(2), service(3), service(1), service(2)];
    let found = two.b.latest(&asked).await.unwrap();
    assert_eq!(found, [Some(down.clone()), None, Some(up), Some(down)]);
    assert_eq!(two.b.latest(&[]).await.unwrap(), []);
}

async fn a_later_slot_wins_however_late_the_earlier_one_arrives(two: Two) {
    let id = service(1);
    let (earlier, later) = (latest(id, 0, Status::Down), latest(id, 30, Status::Up));
    two.a
        .put_latest(std::slice::from_ref(&later))
        .await
        .unwrap();
    two.b
        .put_latest(std::slice::from_ref(&earlier))
        .await
        .unwrap();
    assert_eq!(two.a.latest(&[id]).await.unwrap(), [Some(later.clone())]);

    let mut corrected = later.clone();
    corrected.current.status = Status::Unknown;
    two.a
        .put_latest(&[corrected.clone(), earlier])
        .await
        .unwrap();
    assert_eq!(
        two.a.latest(&[id]).await.unwrap(),
        [Some(corrected)],
        "the same slot replaces"
    );
}

async fn what_is_forgotten_is_gone(two: Two) {
    two.a
        .put_latest(&[
            latest(service(1), 0, Status::Up),
            latest(service(2), 0, Status::Up),
        ])
        .await
        .unwrap();
    two.b.forget(&[service(1), service(9)]).await.unwrap();
    two.b.forget(&[]).await.unwrap();
    let found = two.a.latest(&[service(1), service(2)]).await.unwrap();
    assert_eq!(
        found.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, true]
    );
    let earlier = latest(service(1), -60, Status::Down);
    two.a
        .put_latest(std::slice::from_ref(&earlier))
        .await
        .unwrap();
    assert_eq!(
        two.a.latest(&[service(1)]).await.unwrap(),
        [Some(earlier)],
        "its slot is forgotten too"
    );
}

async fn thousands_of_statuses_are_handled_in_one_call(two: Two) {
    let all: Vec<_> = (0..3000)
        .map(|i| latest(service(i), 0, Status::Degraded))
        .collect();
    two.a.put_latest(&all).await.unwrap();
    let ids: Vec<_> = all.iter().map(|latest| latest.service_id).collect();
    assert_eq!(
        two.b.latest(&ids).await.unwrap(),
        all.into_iter().map(Some).collect::<Vec<_>>()
    );
    two.b.forget(&ids).await.unwrap();
    assert!(
        two.a
            .latest(&ids)
            .await
            .unwrap()
            .iter()
            .all(Option::is_none)
    );
}
