//! Redis Sentinel: a replica takes over from a primary that is lost.

use crate::events::{event, next};
use crate::faults::LEASE;
use crate::{eventually, seconds_from_now, service};
use coordination::{Coordination, Missed};
use testkit::RedisSentinel;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_is_found_and_no_service_is_lost() {
    let mut group = RedisSentinel::start().await;
    let coordination = Coordination::connect(&group.url()).await.unwrap();
    let due = seconds_from_now(-1);
    let dues: Vec<_> = (0..200).map(|number| (service(number), due)).collect();
    coordination.ensure(&dues).await.unwrap();
    coordination.mark_built().await.unwrap();
    let mut receiver = coordination.subscribe();
    eventually("the replica has the queue", || async {
        group.replica.command("ZCARD pulsecheck:due:{0}").await == ":201"
    })
    .await;

    group.primary.kill().await;
    eventually("writes work again", || async {
        coordination.mark_built().await.is_ok()
    })
    .await;
    let claimed = coordination.claim(1000, LEASE).await.unwrap();
    assert!(claimed.built);
    assert_eq!(claimed.claims.len(), dues.len());
    assert_eq!(next(&mut receiver).await, Err(Missed));
    coordination.publish(&[event(1)]).await.unwrap();
    assert_eq!(next(&mut receiver).await, Ok(event(1)));
}
