//! Who is at work.

use crate::{Two, eventually, over_all, seconds_from_now, service};
use chrono::TimeDelta;
use coordination::Worker;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

over_all!(
    workers_that_say_so_are_at_work_in_the_order_in_which_they_began,
    whoever_departs_is_at_work_no_more_and_harms_nobody,
    whoever_is_silent_for_too_long_vanishes_and_may_come_back,
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

async fn at_work(two: &Two) -> Vec<Worker> {
    two.b
        .workers()
        .await
        .unwrap()
        .into_iter()
        .map(|present| present.worker)
        .collect()
}

async fn workers_that_say_so_are_at_work_in_the_order_in_which_they_began(two: Two) {
    assert_eq!(two.a.workers().await.unwrap(), []);
    let (first, second) = (worker(7, -20), worker(3, -10));
    two.a.announce(&second, LONG).await.unwrap();
    two.b.announce(&first, LONG).await.unwrap();
    assert_eq!(at_work(&two).await, [first.clone(), second]);

    let before = two.a.workers().await.unwrap()[0].heard_at;
    eventually("it is heard of again", || async {
        two.a.announce(&first, LONG).await.unwrap();
        two.b.workers().await.unwrap()[0].heard_at > before
    })
    .await;
    let heard = two.b.workers().await.unwrap()[0].heard_at;
    let now = two.a.now().await.unwrap();
    assert!(
        heard <= now && now - heard < TimeDelta::seconds(5),
        "{heard} {now}"
    );
    assert_eq!(two.a.workers().await.unwrap().len(), 2);
}

async fn whoever_departs_is_at_work_no_more_and_harms_nobody(two: Two) {
    let (goes, stays) = (worker(1, 0), worker(2, 0));
    two.a.announce(&goes, LONG).await.unwrap();
    two.a.announce(&stays, LONG).await.unwrap();
    two.b.depart(goes.id).await.unwrap();
    two.b.depart(service(9)).await.unwrap();
    assert_eq!(at_work(&two).await, [stays]);
}

async fn whoever_is_silent_for_too_long_vanishes_and_may_come_back(two: Two) {
    let (silent, steady) = (worker(1, -2), worker(2, -1));
    two.a.announce(&steady, LONG).await.unwrap();
    two.a
        .announce(&silent, Duration::from_millis(50))
        .await
        .unwrap();
    eventually("it vanishes", || async {
        at_work(&two).await == [steady.clone()]
    })
    .await;
    two.b.announce(&silent, LONG).await.unwrap();
    assert_eq!(at_work(&two).await, [silent, steady]);
}
