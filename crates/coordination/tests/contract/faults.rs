//! Redis away, restarted, flushed, frozen, absent or strange.

use crate::events::{event, next};
use crate::latest::latest;
use crate::{eventually, in_time, seconds_from_now, service, unused_prefix};
use coordination::{Live, LiveError, Missed};
use domain::Status;
use std::time::{Duration, Instant};
use testkit::RedisServer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_stream::StreamExt;

const LEASE: Duration = Duration::from_secs(60);

async fn works(live: &Live) -> bool {
    live.claim(0, LEASE).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_commands_work_soon_and_receivers_are_told_that_they_missed_something() {
    let mut redis = RedisServer::start().await;
    let (a, b) = (
        Live::connect(&redis.url()).await.unwrap(),
        Live::connect(&redis.url()).await.unwrap(),
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
            Err(LiveError::Unavailable(_))
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
            "the subscription stands when Missed is told"
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
async fn a_queue_that_was_lost_says_so_and_can_be_built_again() {
    let mut redis = RedisServer::start().await;
    let live = Live::connect(&redis.url()).await.unwrap();
    let dues: Vec<_> = (0..50)
        .map(|i| (service(i), seconds_from_now(-1)))
        .collect();
    let build = async || {
        live.ensure(&dues).await.unwrap();
        live.mark_built().await.unwrap();
        live.put_latest(&[latest(service(1), 0, Status::Up)])
            .await
            .unwrap();
        assert!(live.claim(0, LEASE).await.unwrap().built);
    };
    build().await;
    let claim = live.claim(1, LEASE).await.unwrap().claims[0];

    redis.flush().await;
    let claimed = live.claim(10, LEASE).await.unwrap();
    assert_eq!(
        (claimed.claims.len(), claimed.next_due, claimed.built),
        (0, None, false)
    );
    assert_eq!(live.latest(&[service(1)]).await.unwrap(), [None]);
    assert_eq!(
        live.complete(&[(claim, seconds_from_now(30))])
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        live.queue_len().await.unwrap(),
        0,
        "a completed claim does not come back alone"
    );
    // What is scheduled before the rebuild does not hide that the rest is missing.
    live.schedule(&dues[..1]).await.unwrap();
    assert!(!live.claim(0, LEASE).await.unwrap().built);
    build().await;

    redis.kill().await;
    redis.start_again().await;
    eventually("commands work again", || works(&live)).await;
    assert!(!live.claim(0, LEASE).await.unwrap().built);
    build().await;
    assert_eq!(live.claim(100, LEASE).await.unwrap().claims.len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_redis_forgot_are_sent_again() {
    let redis = RedisServer::start().await;
    let live = Live::connect(&redis.url()).await.unwrap();
    for _ in 0..2 {
        live.schedule(&[(service(1), seconds_from_now(-1))])
            .await
            .unwrap();
        let mut claim = live.claim(1, LEASE).await.unwrap().claims[0];
        assert!(live.extend(&mut claim, LEASE).await.unwrap());
        assert_eq!(
            live.complete(&[(claim, seconds_from_now(1))])
                .await
                .unwrap(),
            1
        );
        live.put_latest(&[latest(service(1), 0, Status::Up)])
            .await
            .unwrap();
        assert_eq!(redis.command("SCRIPT FLUSH").await, "+OK");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_costs_each_command_two_seconds_and_no_more() {
    let redis = RedisServer::start().await;
    let live = Live::connect(&redis.url()).await.unwrap();
    let mut receiver = live.subscribe();
    redis.freeze();
    let asked = Instant::now();
    let (claim, ping) = tokio::join!(live.claim(1, LEASE), live.ping());
    assert!(matches!(claim, Err(LiveError::Unavailable(_))) && ping.is_err());
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    redis.thaw();
    eventually("commands work again", || works(&live)).await;
    // Its connection may have been given up meanwhile, or not.
    let mut received = Err(Missed);
    while received == Err(Missed) {
        live.publish(&[event(1)]).await.unwrap();
        received = next(&mut receiver).await;
    }
    assert_eq!(received, Ok(event(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_silently_leads_nowhere_is_given_up_for_a_new_one() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(&redis.url()).await;
    let live = Live::connect(&proxy.url).await.unwrap();
    let mut receiver = live.subscribe();
    live.publish(&[event(1)]).await.unwrap();
    assert_eq!(next(&mut receiver).await, Ok(event(1)));

    proxy.swallow_what_present_connections_send();
    assert!(matches!(live.ping().await, Err(LiveError::Unavailable(_))));
    let noticed = Instant::now();
    eventually("commands work again", || works(&live)).await;
    assert!(
        noticed.elapsed() < Duration::from_secs(2),
        "{:?}",
        noticed.elapsed()
    );
    assert_eq!(next(&mut receiver).await, Err(Missed));
    live.publish(&[event(2)]).await.unwrap();
    assert_eq!(next(&mut receiver).await, Ok(event(2)));
}

/// Stands between a client and Redis, as a load balancer may.
struct Proxy {
    url: String,
    swallow: watch::Sender<()>,
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
        let (swallow, told) = watch::channel(());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (target, mut told) = (target.clone(), told.clone());
                told.mark_unchanged();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(&target).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = told.changed() => drop(tokio::io::copy(&mut client, &mut tokio::io::sink()).await),
                    }
                });
            }
        });
        Self { url, swallow }
    }

    fn swallow_what_present_connections_send(&self) {
        self.swallow.send(()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_redis_is_an_error_that_names_the_setting_and_the_address() {
    let mut redis = RedisServer::start().await;
    let address = redis
        .url()
        .strip_prefix("redis://")
        .unwrap()
        .strip_suffix("/0")
        .unwrap()
        .to_owned();
    redis.stop().await;
    let error = in_time(Live::connect(&redis.url())).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot reach Redis at {address}, which REDIS_URL names: connection refused")
    );

    redis.start_again().await;
    redis.freeze();
    let started = Instant::now();
    let error = Live::connect(&redis.url()).await.unwrap_err();
    assert!(
        matches!(error, LiveError::Unreachable { .. })
            && started.elapsed() < Duration::from_secs(5),
        "{error}"
    );
}

#[tokio::test]
async fn an_unusable_address_is_an_error_without_the_password() {
    for (url, sentence) in [
        ("", "it has no scheme"),
        ("localhost:6379", "it has no scheme"),
        ("user:secret@host://x", "it has no scheme"),
        ("http://secret@host", "its scheme is http"),
        ("redis://:secret@", "EmptyHost"),
        ("redis://:secret@host:notaport", "InvalidPort"),
        ("redis://:secret@host/database", "Invalid integer string."),
    ] {
        let error = Live::connect(url).await.unwrap_err();
        assert!(matches!(error, LiveError::Address { .. }), "{url}: {error}");
        let (shown, debugged) = (error.to_string(), format!("{error:?}"));
        assert!(
            shown.contains(sentence) && shown.contains("REDIS_URL"),
            "{url}: {shown}"
        );
        assert!(
            !shown.contains("secret") && !debugged.contains("secret"),
            "{url}: {shown} {debugged}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_used_and_never_shown() {
    let redis = RedisServer::start().await;
    assert_eq!(redis.command("CONFIG SET requirepass secret").await, "+OK");
    let with = |credentials: &str| {
        redis
            .url()
            .replace("redis://", &format!("redis://{credentials}"))
    };
    let live = Live::connect(&with(":secret@")).await.unwrap();
    live.ping().await.unwrap();
    assert!(!format!("{live:?}").contains("secret"));
    for (credentials, sentence) in [
        ("", "it asks for a password"),
        (":wrong-secret@", "it does not accept"),
    ] {
        let error = in_time(Live::connect(&with(credentials)))
            .await
            .unwrap_err();
        let (shown, debugged) = (error.to_string(), format!("{error:?}"));
        assert!(
            shown.contains(sentence) && !debugged.contains("secret"),
            "{shown} {debugged}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_no_event_is_told_as_missed() {
    let redis = RedisServer::shared().await;
    let prefix = unused_prefix();
    let live = Live::connect_with_prefix(&redis.url(), &prefix)
        .await
        .unwrap();
    let mut receiver = live.subscribe();
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
    live.publish(&[event(1)]).await.unwrap();
    assert_eq!(next(&mut receiver).await, Ok(event(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_that_cannot_be_read_is_as_good_as_none() {
    let redis = RedisServer::shared().await;
    let prefix = unused_prefix();
    let live = Live::connect_with_prefix(&redis.url(), &prefix)
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
        assert_eq!(live.latest(&[id]).await.unwrap(), [None], "{strange}");
    }
    redis
        .command(&format!(
            "HSET {prefix}latest:{{0}} sixteen-letters! nonsense"
        ))
        .await;
    let known = latest(id, 0, Status::Up);
    live.put_latest(std::slice::from_ref(&known)).await.unwrap();
    assert_eq!(live.latest(&[id]).await.unwrap(), [Some(known)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_state_that_is_dropped_closes_its_connections() {
    let redis = RedisServer::start().await;
    // One of them asks.
    let connections = async || redis.command("CLIENT LIST").await.lines().count() - 1;
    eventually("nobody else is connected", || async {
        connections().await == 0
    })
    .await;
    let live = Live::connect(&redis.url()).await.unwrap();
    assert_eq!(connections().await, 2, "one for commands, one for events");
    let mut receiver = live.subscribe();
    drop(live);
    eventually("its connections end", || async { connections().await == 0 }).await;
    assert_eq!(
        in_time(receiver.next()).await,
        None,
        "and so do its receivers"
    );
}
