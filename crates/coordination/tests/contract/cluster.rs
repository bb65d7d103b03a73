//! A Redis Cluster that loses a master, or hands its place to another.

use crate::events::{event, next};
use crate::latest::latest;
use crate::{eventually, seconds_from_now, service};
use coordination::{Live, LiveError, Missed};
use domain::Status;
use std::collections::HashSet;
use std::time::Duration;
use testkit::RedisCluster;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(60);

/// Services, a few in each shard, that are due, in a queue that is built.
async fn build(live: &Live) -> Vec<Uuid> {
    let services: Vec<_> = (0..200).map(service).collect();
    let due = seconds_from_now(-1);
    live.ensure(&services.iter().map(|id| (*id, due)).collect::<Vec<_>>())
        .await
        .unwrap();
    live.mark_built().await.unwrap();
    services
}

async fn claimed(live: &Live) -> HashSet<Uuid> {
    live.claim(1000, LEASE)
        .await
        .unwrap()
        .claims
        .iter()
        .map(|claim| claim.service_id)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_master_is_away_the_others_go_on_and_with_its_return_all_is_as_before() {
    let mut cluster = RedisCluster::start().await;
    let live = Live::connect(&cluster.url()).await.unwrap();
    let services = build(&live).await;
    let mut receiver = live.subscribe();
    cluster.nodes[1].kill().await;

    eventually("claims go on", || async {
        live.claim(0, LEASE).await.is_ok()
    })
    .await;
    let rest = claimed(&live).await;
    assert!(
        (50..180).contains(&rest.len()),
        "some shards are away, the others are not: {}",
        rest.len()
    );
    assert!(
        live.claim(0, LEASE).await.unwrap().built,
        "what is away is not known to be lost"
    );
    assert!(live.ping().await.is_ok() && live.now().await.is_ok());
    let (mut refused, mut served) = (0, 0);
    for id in &services {
        match live.put_latest(&[latest(*id, 0, Status::Up)]).await {
            Ok(()) => {
                assert!(rest.contains(id) || live.latest(&[*id]).await.is_ok());
                served += 1;
            }
            Err(error) => {
                assert!(matches!(error, LiveError::Unavailable(_)), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && served > 0, "{refused} {served}");
    assert!(matches!(
        live.latest(&services).await,
        Err(LiveError::Unavailable(_))
    ));
    live.publish(&[event(1)]).await.unwrap();
    let mut told = next(&mut receiver).await;
    while told == Err(Missed) {
        // It listened at the node that went, and listens at another now.
        live.publish(&[event(1)]).await.unwrap();
        told = next(&mut receiver).await;
    }
    assert_eq!(told, Ok(event(1)));

    cluster.nodes[1].start_again().await;
    eventually(
        "every shard answers, and one says that it lost what it had",
        || async {
            live.queue_len()
                .await
                .is_ok_and(|count| count < services.len())
                && live
                    .claim(0, LEASE)
                    .await
                    .is_ok_and(|claimed| !claimed.built)
        },
    )
    .await;
    build(&live).await;
    let back = claimed(&live).await;
    assert!(back.is_disjoint(&rest), "what is claimed stays claimed");
    assert_eq!(back.len() + rest.len(), services.len());
    assert!(live.claim(0, LEASE).await.unwrap().built);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_takes_over_is_found_and_no_service_is_lost() {
    let mut cluster = RedisCluster::start().await;
    cluster.add_replica_of(0).await;
    let live = Live::connect(&cluster.url()).await.unwrap();
    let services = build(&live).await;
    let replica = cluster.nodes.last().unwrap();
    let master = cluster.nodes[0].command("DBSIZE").await;
    eventually("the replica has it all", || async {
        replica.command("DBSIZE").await == master
    })
    .await;

    cluster.nodes[0].kill().await;
    eventually("every shard answers again", || async {
        live.queue_len().await.is_ok()
    })
    .await;
    assert_eq!(live.queue_len().await.unwrap(), services.len());
    assert!(live.claim(0, LEASE).await.unwrap().built);
    assert_eq!(claimed(&live).await.len(), services.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_to_another_node_is_followed_at_once() {
    let cluster = RedisCluster::start().await;
    let live = Live::connect(&cluster.url()).await.unwrap();
    // The slots of all shards, while they hold nothing.
    let target = cluster.nodes[2].command("CLUSTER MYID").await;
    for shard in 0..16 {
        let slot = cluster.nodes[0]
            .command(&format!("CLUSTER KEYSLOT pulsecheck:due:{{{shard}/16}}"))
            .await;
        let slot = slot.trim_start_matches(':').to_owned();
        for node in [&cluster.nodes[2], &cluster.nodes[0], &cluster.nodes[1]] {
            let reply = node
                .command(&format!("CLUSTER SETSLOT {slot} NODE {target}"))
                .await;
            assert_eq!(reply, "+OK");
        }
    }
    let services = build(&live).await;
    assert_eq!(cluster.nodes[2].command("DBSIZE").await, ":16");
    assert_eq!(claimed(&live).await.len(), services.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_of_another_number_of_shards_is_not_taken_for_this_one() {
    let cluster = RedisCluster::start().await;
    let former = &cluster.nodes[cluster.master_of("pulsecheck:due:{0}").await];
    assert_eq!(
        former
            .command("ZADD pulsecheck:due:{0} 1 sixteen-letters! inf built")
            .await,
        ":2"
    );
    let live = Live::connect(&cluster.url()).await.unwrap();
    let claimed = live.claim(10, LEASE).await.unwrap();
    assert_eq!(
        (
            claimed.claims.len(),
            claimed.built,
            live.queue_len().await.unwrap()
        ),
        (0, false, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_of_a_single_server_as_a_cluster_is_an_error_that_says_so() {
    let redis = testkit::RedisServer::start().await;
    let error = Live::connect(&redis.url().replace("redis://", "redis-cluster://"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("cluster support disabled"),
        "{error}"
    );
}
