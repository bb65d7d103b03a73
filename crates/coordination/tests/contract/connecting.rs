//! Connecting: addresses, passwords, and a Redis that is not there.

use crate::in_time;
use coordination::{Coordination, CoordinationError};
use std::time::{Duration, Instant};
use testkit::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_redis_is_an_error_with_setting_and_address() {
    let mut redis = RedisServer::start().await;
    let address = redis
        .url()
        .strip_prefix("redis://")
        .unwrap()
        .strip_suffix("/0")
        .unwrap()
        .to_owned();
    redis.stop().await;
    let error = in_time(Coordination::connect(&redis.url()))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot reach Redis at {address}, which REDIS_URL names: connection refused")
    );

    redis.start_again().await;
    redis.freeze();
    let started = Instant::now();
    let error = Coordination::connect(&redis.url()).await.unwrap_err();
    assert!(
        matches!(error, CoordinationError::Unreachable { .. })
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
        (
            "redis-cluster://:secret@host:6379",
            "its scheme is redis-cluster",
        ),
        ("redis://:secret@", "EmptyHost"),
        ("redis://:secret@host:notaport", "InvalidPort"),
        ("redis://:secret@host/database", "Invalid integer string."),
    ] {
        let error = Coordination::connect(url).await.unwrap_err();
        assert!(
            matches!(error, CoordinationError::InvalidUrl { .. }),
            "{url}: {error}"
        );
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
    let coordination = Coordination::connect(&with(":secret@")).await.unwrap();
    coordination.ping().await.unwrap();
    assert!(!format!("{coordination:?}").contains("secret"));
    for (credentials, sentence) in [
        ("", "it asks for a password"),
        (":wrong-secret@", "it does not accept"),
    ] {
        let error = in_time(Coordination::connect(&with(credentials)))
            .await
            .unwrap_err();
        let (shown, debugged) = (error.to_string(), format!("{error:?}"));
        assert!(
            shown.contains(sentence) && !debugged.contains("secret"),
            "{shown} {debugged}"
        );
    }
}
