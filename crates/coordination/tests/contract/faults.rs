//! Redis restarted, flushed, hanging, cut off, or with strange content.

use crate::events::{event, next};
use crate::status_cache::cached;
use crate::{eventually, in_time, seconds_from_now, service, unused_prefix};
use coordination::{Coordination, CoordinationError, Missed};
use domain::Status;
use std::time::{Duration, Instant};
use testkit::RedisServer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_stream::StreamExt;

pub(crate) const LEASE: Duration = Duration::from_secs(60);

pub(crate) async fn works(coordination: &Coordination) -> bool {
    coordination.claim(0, LEASE).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_work_soon_after_a_restart_and_receivers_get_missed() {
    let mut redis = RedisServer::start().await;
    let (a, b) = (
        Coordination::connect(&redis.url()).await.unwrap(),
        Coordination::connect(&redis.url()).await.unwrap(),
    );
    a.schedule(&[(service(1), seconds_from_now(-1))])
        .await
        .unwrap();
    a.mark_built().await.unwrap();
    let mut receiver = b.subscribe();
    a.publish(&[event(1)]).await.unwrap();
    assert_eq!(next(&mut receiver).await, Ok(event(1)));

    for round in 0..3 {
        redis.stop().await;
        let asked = Instant::now();
        eventually("it fails", || async { !works(&a).await }).await;
        assert!(matches!(
            a.queue_len().await,
            Err(CoordinationError::Unavailable(_))
        ));
        assert!(a.ping().await.is_err() && a.publish(&[event(2)]).await.is_err());
        assert!(
            asked.elapsed() < Duration::from_millis(500),
            "it fails at once: {:?}",
            asked.elapsed()
        );

        redis.start_again().await;
        let returned = Instant::now();
        eventually("commands work again", || works(&a)).await;
        assert!(
            returned.elapsed() < Duration::from_secs(2),
            "{:?}",
            returned.elapsed()
        );
        assert_eq!(next(&mut receiver).await, Err(Missed));
        assert!(
            returned.elapsed() < Duration::from_secs(4),
            "{:?}",
            returned.elapsed()
        );
        a.publish(&[event(10 + round)]).await.unwrap();
        assert_eq!(
            next(&mut receiver).await,
            Ok(event(10 + round)),
            "the subscription is renewed before Missed is sent"
        );
    }
    let claimed = a.claim(10, LEASE).await.unwrap();
    assert_eq!(
        (claimed.built, claimed.claims.len()),
        (true, 1),
        "an orderly restart keeps the queue"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_queue_is_reported_and_can_be_rebuilt() {
    let mut redis = RedisServer::start().await;
    let coordination = Coordination::connect(&redis.url()).await.unwrap();
    let dues: Vec<_> = (0..50)
        .map(|i| (service(i), seconds_from_now(-1)))
        .collect();
    let build = async || {
        coordination.ensure(&dues).await.unwrap();
        coordination.mark_built().await.unwrap();
        coordination
            .cache_statuses(&[cached(service(1), 0, Status::Up)])
            .await
            .unwrap();
        assert!(coordination.claim(0, LEASE).await.unwrap().built);
    };
    build().await;
    let claim = coordination.claim(1, LEASE).await.unwrap().claims[0];

    redis.flush().await;
    let claimed = coordination.claim(10, LEASE).await.unwrap();
    assert_eq!(
        (claimed.claims.len(), claimed.next_due, claimed.built),
        (0, None, false)
    );
    assert_eq!(
        coordination.cached_statuses(&[service(1)]).await.unwrap(),
        [None]
    );
    assert_eq!(
        coordination
            .complete(&[(claim, seconds_from_now(30))])
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        coordination.queue_len().await.unwrap(),
        0,
        "a completed claim does not come back alone"
    );
    // What is scheduled before the rebuild does not hide that the rest is missing.
    coordination.schedule(&dues[..1]).await.unwrap();
    assert!(!coordination.claim(0, LEASE).await.unwrap().built);
    build().await;

    redis.kill().await;
    redis.start_again().await;
    eventually("commands work again", || works(&coordination)).await;
    assert!(!coordination.claim(0, LEASE).await.unwrap().built);
    build().await;
    assert_eq!(
        coordination.claim(100, LEASE).await.unwrap().claims.len(),
        50
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_redis_lost_are_sent_again() {
    let redis = RedisServer::start().await;
    let coordination = Coordination::connect(&redis.url()).await.unwrap();
    for _ in 0..2 {
        coordination
            .schedule(&[(service(1), seconds_from_now(-1))])
            .await
            .unwrap();
        let mut claim = coordination.claim(1, LEASE).await.unwrap().claims[0];
        assert!(coordination.extend(&mut claim, LEASE).await.unwrap());
        assert_eq!(
            coordination
                .complete(&[(claim, seconds_from_now(1))])
                .await
                .unwrap(),
            1
        );
        coordination
            .cache_statuses(&[cached(service(1), 0, Status::Up)])
            .await
            .unwrap();
        assert_eq!(redis.command("SCRIPT FLUSH").await, "+OK");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_to_a_hanging_redis_fails_within_three_seconds() {
    let redis = RedisServer::start().await;
    let coordination = Coordination::connect(&redis.url()).await.unwrap();
    let mut receiver = coordination.subscribe();
    redis.freeze();
    let asked = Instant::now();
    let (claim, ping) = tokio::join!(coordination.claim(1, LEASE), coordination.ping());
    assert!(matches!(claim, Err(CoordinationError::Unavailable(_))) && ping.is_err());
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    redis.thaw();
    eventually("commands work again", || works(&coordination)).await;
    // Its connection may have been given up meanwhile, or not.
    let mut received = Err(Missed);
    while received == Err(Missed) {
        coordination.publish(&[event(1)]).await.unwrap();
        received = next(&mut receiver).await;
    }
    assert_eq!(received, Ok(event(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_leads_nowhere_is_replaced() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(&redis.url()).await;
    let coordination = Coordination::connect(&proxy.url).await.unwrap();
    let mut receiver = coordination.subscribe();
    coordination.publish(&[event(1)]).await.unwrap();
    assert_eq!(next(&mut receiver).await, Ok(event(1)));

    proxy.break_open_connections(Fault::Swallow);
    assert!(matches!(
        coordination.ping().await,
        Err(CoordinationError::Unavailable(_))
    ));
    let noticed = Instant::now();
    eventually("commands work again", || works(&coordination)).await;
    assert!(
        noticed.elapsed() < Duration::from_secs(2),
        "{:?}",
        noticed.elapsed()
    );
    assert_eq!(next(&mut receiver).await, Err(Missed));
    coordination.publish(&[event(2)]).await.unwrap();
    assert_eq!(next(&mut receiver).await, Ok(event(2)));
}

/// A proxy between a client and Redis, such as a load balancer.
struct Proxy {
    url: String,
    fault: watch::Sender<Fault>,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Reads what the client sends and drops it.
    Swallow,
    /// Reads nothing, so that the client's writes block.
    Stall,
}

impl Proxy {
    async fn start(redis: &str) -> Self {
        let target = redis
            .strip_prefix("redis://")
            .unwrap()
            .strip_suffix("/0")
            .unwrap()
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}/0", listener.local_addr().unwrap());
        let (fault, faults) = watch::channel(Fault::Swallow);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (target, mut faults) = (target.clone(), faults.clone());
                faults.mark_unchanged();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(&target).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                        changed = faults.changed() => if changed.is_err() {
                            return;
                        },
                    }
                    let fault = *faults.borrow();
                    match fault {
                        Fault::Swallow => {
                            let _ = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
                        }
                        Fault::Stall => std::future::pending().await,
                    }
                });
            }
        });
        Self { url, fault }
    }

    /// Applies `fault` to the connections that are open now.
    fn break_open_connections(&self, fault: Fault) {
        self.fault.send(fault).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_whose_writes_block_is_replaced() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(&redis.url()).await;
    let coordination = Coordination::connect(&proxy.url).await.unwrap();
    assert!(works(&coordination).await);

    proxy.break_open_connections(Fault::Stall);
    // More than the buffers of both ends hold.
    let batch: Vec<_> = (0..1000).map(event).collect();
    let publishing = (0..60).map(|_| coordination.publish(&batch));
    let published = futures::future::join_all(publishing).await;
    let noticed = Instant::now();
    assert!(published.iter().all(Result::is_err));
    eventually("commands work again", || works(&coordination)).await;
    assert!(
        noticed.elapsed() < Duration::from_secs(5),
        "{:?}",
        noticed.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_message_is_reported_as_missed() {
    let redis = RedisServer::shared().await;
    let prefix = unused_prefix();
    let coordination = Coordination::connect_with_prefix(&redis.url(), &prefix)
        .await
        .unwrap();
    let mut receiver = coordination.subscribe();
    for strange in [
        "nonsense",
        "[{\\\"event\\\":\\\"from_the_future\\\"}]",
        "\\xff",
    ] {
        redis
            .command(&format!("PUBLISH {prefix}events \"{strange}\""))
            .await;
        assert_eq!(next(&mut receiver).await, Err(Missed), "{strange}");
    }
    coordination.publish(&[event(1)]).await.unwrap();
    assert_eq!(next(&mut receiver).await, Ok(event(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_status_is_a_miss() {
    let redis = RedisServer::shared().await;
    let prefix = unused_prefix();
    let coordination = Coordination::connect_with_prefix(&redis.url(), &prefix)
        .await
        .unwrap();
    let id = uuid::Uuid::from_u128(u128::from_be_bytes(*b"sixteen-letters!"));
    for strange in [
        "nonsense",
        "1 nonsense",
        "99999999999999999999 {}",
        "1 {\\\"status\\\":\\\"ODD\\\"}",
    ] {
        redis
            .command(&format!(
                "HSET {prefix}latest:{{0}} sixteen-letters! \"{strange}\""
            ))
            .await;
        assert_eq!(
            coordination.cached_statuses(&[id]).await.unwrap(),
            [None],
            "{strange}"
        );
    }
    redis
        .command(&format!(
            "HSET {prefix}latest:{{0}} sixteen-letters! nonsense"
        ))
        .await;
    let known = cached(id, 0, Status::Up);
    coordination
        .cache_statuses(std::slice::from_ref(&known))
        .await
        .unwrap();
    assert_eq!(
        coordination.cached_statuses(&[id]).await.unwrap(),
        [Some(known)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_last_clone_closes_the_connections() {
    let redis = RedisServer::start().await;
    // One of them asks.
    let connections = async || redis.command("CLIENT LIST").await.lines().count() - 1;
    eventually("nobody else is connected", || async {
        connections().await == 0
    })
    .await;
    let coordination = Coordination::connect(&redis.url()).await.unwrap();
    assert_eq!(connections().await, 2, "one for commands, one for events");
    let mut receiver = coordination.subscribe();
    drop(coordination);
    eventually("its connections end", || async { connections().await == 0 }).await;
    assert_eq!(
        in_time(receiver.next()).await,
        None,
        "and so do its receivers"
    );
}
