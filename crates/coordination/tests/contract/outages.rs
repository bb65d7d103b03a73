//! Commands sent while Redis is away or frozen.

use crate::events::{event, next};
use crate::faults::{LEASE, works};
use crate::status_cache::cached;
use crate::{eventually, seconds_from_now, service};
use coordination::{Coordination, CoordinationError, Missed};
use domain::Status;
use futures::future::join_all;
use std::time::{Duration, Instant};
use testkit::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_while_redis_is_away_fails_at_once_and_never_runs() {
    let mut redis = RedisServer::start().await;
    let coordination = Coordination::connect(&redis.url()).await.unwrap();
    assert!(works(&coordination).await);
    redis.stop().await;
    eventually("the loss is noticed", || async {
        coordination.ping().await.is_err()
    })
    .await;

    for _ in 0..20 {
        let asked = Instant::now();
        let status = cached(service(1), 0, Status::Up);
        let script = coordination.cache_statuses(&[status]).await;
        let command = coordination
            .schedule(&[(service(1), seconds_from_now(0))])
            .await;
        for result in [script, command] {
            assert!(
                matches!(result, Err(CoordinationError::Unavailable(_))),
                "{result:?}"
            );
        }
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "they do not wait for their timeouts: {:?}",
            asked.elapsed()
        );
    }

    redis.start_again().await;
    eventually("Redis is reached again", || async {
        coordination.ping().await.is_ok()
    })
    .await;
    let calls = redis.command("INFO commandstats").await;
    assert!(
        !calls.contains("cmdstat_eval") && !calls.contains("cmdstat_zadd"),
        "{calls}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_a_frozen_redis_runs_late_claims_nothing() {
    let redis = RedisServer::start().await;
    let coordination = Coordination::connect(&redis.url()).await.unwrap();
    let due = seconds_from_now(-1);
    coordination.schedule(&[(service(1), due)]).await.unwrap();
    assert!(works(&coordination).await);
    let before = script_calls(&redis).await;

    redis.freeze();
    let asked = Instant::now();
    let claims = join_all((0..4).map(|_| coordination.claim(1, LEASE))).await;
    assert!(claims.iter().all(Result::is_err), "{claims:?}");
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    redis.thaw();

    eventually("the four claims are run after all", || async {
        script_calls(&redis).await >= before + 4
    })
    .await;
    eventually("commands work again", || works(&coordination)).await;
    let claimed = coordination.claim(10, LEASE).await.unwrap();
    let claimed: Vec<_> = claimed
        .claims
        .iter()
        .map(|claim| (claim.service_id, claim.due))
        .collect();
    assert_eq!(claimed, [(service(1), due)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_work_within_five_seconds_after_a_freeze_of_eight() {
    let redis = RedisServer::start().await;
    let coordination = Coordination::connect(&redis.url()).await.unwrap();
    let mut receiver = coordination.subscribe();
    coordination
        .schedule(&[(service(1), seconds_from_now(-1))])
        .await
        .unwrap();

    redis.freeze();
    let frozen = Instant::now();
    while frozen.elapsed() < Duration::from_secs(8) {
        assert!(coordination.claim(1, LEASE).await.is_err());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    redis.thaw();

    let thawed = Instant::now();
    eventually("commands work again", || works(&coordination)).await;
    let claimed = coordination.claim(1, LEASE).await.unwrap();
    assert_eq!(claimed.claims.len(), 1);
    assert_eq!(next(&mut receiver).await, Err(Missed));
    coordination.publish(&[event(1)]).await.unwrap();
    assert_eq!(next(&mut receiver).await, Ok(event(1)));
    assert!(
        thawed.elapsed() < Duration::from_secs(5),
        "{:?}",
        thawed.elapsed()
    );
}

/// Counts the scripts that Redis has run, those that it did not know included.
async fn script_calls(redis: &RedisServer) -> u64 {
    let stats = redis.command("INFO commandstats").await;
    stats
        .lines()
        .filter_map(|line| line.strip_prefix("cmdstat_eval")?.split_once(":calls="))
        .map(|(_, calls)| calls.split(',').next().unwrap().parse::<u64>().unwrap())
        .sum()
}
