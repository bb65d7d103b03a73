//! The registry of workers.

use crate::{Two, eventually, over_both, seconds_from_now, service};
use chrono::TimeDelta;
use coordination::Worker;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

over_both!(
    registered_workers_are_listed_in_the_order_of_their_start,
    a_deregistered_worker_is_no_longer_listed,
    an_expired_registration_vanishes_and_may_come_back,
);

fn worker(number: u128, started: i64) -> Worker {
    let (host, version) = (format!("host-{number} \"é\""), "1.2.3".to_owned());
    Worker {
        id: service(number),
        host,
        version,
        started_at: seconds_from_now(started),
    }
}

async fn registered(two: &Two) -> Vec<Worker> {
    two.b
        .workers()
        .await
        .unwrap()
        .into_iter()
        .map(|present| present.worker)
        .collect()
}

async fn registered_workers_are_listed_in_the_order_of_their_start(two: Two) {
    assert_eq!(two.a.workers().await.unwrap(), []);
    let (first, second) = (worker(7, -20), worker(3, -10));
    two.a.register_worker(&second, LONG).await.unwrap();
    two.b.register_worker(&first, LONG).await.unwrap();
    assert_eq!(registered(&two).await, [first.clone(), second]);

    let before = two.a.workers().await.unwrap()[0].last_seen_at;
    eventually("it is heard of again", || async {
        two.a.register_worker(&first, LONG).await.unwrap();
        two.b.workers().await.unwrap()[0].last_seen_at > before
    })
    .await;
    let heard = two.b.workers().await.unwrap()[0].last_seen_at;
    let now = two.a.now().await.unwrap();
    assert!(
        heard <= now && now - heard < TimeDelta::seconds(5),
        "{heard} {now}"
    );
    assert_eq!(two.a.workers().await.unwrap().len(), 2);
}

async fn a_deregistered_worker_is_no_longer_listed(two: Two) {
    let (goes, stays) = (worker(1, 0), worker(2, 0));
    two.a.register_worker(&goes, LONG).await.unwrap();
    two.a.register_worker(&stays, LONG).await.unwrap();
    two.b.deregister_worker(goes.id).await.unwrap();
    two.b.deregister_worker(service(9)).await.unwrap();
    assert_eq!(registered(&two).await, [stays]);
}

async fn an_expired_registration_vanishes_and_may_come_back(two: Two) {
    let (silent, steady) = (worker(1, -2), worker(2, -1));
    two.a.register_worker(&steady, LONG).await.unwrap();
    two.a
        .register_worker(&silent, Duration::from_millis(50))
        .await
        .unwrap();
    eventually("it vanishes", || async {
        registered(&two).await == [steady.clone()]
    })
    .await;
    two.b.register_worker(&silent, LONG).await.unwrap();
    assert_eq!(registered(&two).await, [silent, steady]);
}
