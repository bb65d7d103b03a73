//! Liveness and readiness of a worker.

use crate::client::http;
use crate::process::{Process, SOON};
use serde_json::{Value, json};
use testkit::{PostgresServer, RedisServer};
use tokio::time::Instant;

async fn ask(metrics: &str, path: &str) -> (u16, Value) {
    let answer = http()
        .build()
        .unwrap()
        .get(metrics.replace("/metrics", path))
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn becomes(metrics: &str, status: u16, body: Value) {
    let deadline = Instant::now() + SOON;
    loop {
        let answer = ask(metrics, "/ready").await;
        if answer == (status, body.clone()) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{answer:?} never becomes {status} {body}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_worker_is_ready_while_the_database_and_redis_answer_and_lives_all_the_time() {
    let (mut postgres, mut redis) = (PostgresServer::start().await, RedisServer::start().await);
    let (database, redis_url) = (postgres.create_database().await, redis.url());
    let variables = [
        ("DATABASE_URL", &*database),
        ("REDIS_URL", &*redis_url),
        ("PULSECHECK_SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("PULSECHECK_METRICS_LISTEN", "127.0.0.1:0"),
    ];
    assert_eq!(
        Process::start(&["migrate"], &variables).finish().await,
        Some(0)
    );
    let mut worker = Process::start(&["worker"], &variables);
    let metrics = worker.announced("Metrics on ").await;
    let ready =
        json!({ "status": "ready", "database": "ok", "coordination": "ok", "recording": "ok" });
    becomes(&metrics, 200, ready.clone()).await;
    let without = |part: &str| {
        let mut body = ready.clone();
        body["status"] = "not ready".into();
        body[part] = "failing".into();
        body
    };

    postgres.stop().await;
    becomes(&metrics, 503, without("database")).await;
    assert_eq!(
        ask(&metrics, "/live").await,
        (200, json!({ "status": "ok" }))
    );
    postgres.start_again().await;
    becomes(&metrics, 200, ready.clone()).await;
    redis.stop().await;
    becomes(&metrics, 503, without("coordination")).await;
    redis.start_again().await;
    becomes(&metrics, 200, ready).await;
    assert_eq!(worker.terminate().await, Some(0));
}
