//! A Redis that answers but refuses writes.

use crate::faults::{LEASE, works};
use crate::{eventually, seconds_from_now, service};
use coordination::{Coordination, CoordinationError, WriteRefusal};
use testkit::RedisServer;

/// Makes Redis refuse by `refuse`, checks what a command and a script say, and undoes it.
async fn assert_refused(refuse: &str, undo: &str, expected: WriteRefusal, code: &str) {
    let redis = RedisServer::start().await;
    let coordination = Coordination::connect(&redis.url()).await.unwrap();
    let due = [(service(1), seconds_from_now(-1))];
    coordination.schedule(&due).await.unwrap();
    assert!(works(&coordination).await);

    assert_eq!(redis.command(refuse).await, "+OK");
    let command = coordination.schedule(&due).await.unwrap_err();
    eventually("a script is refused for the same reason", || async {
        let script = coordination.claim(1, LEASE).await.unwrap_err();
        refusal(&script) == Some(expected)
    })
    .await;
    assert_eq!(refusal(&command), Some(expected), "{command:?}");
    let shown = command.to_string();
    assert!(
        shown.starts_with("Redis refused ZADD because it ") && shown.contains(code),
        "{shown}"
    );

    assert!(redis.command(undo).await.starts_with("+OK"));
    eventually("writes work again", || async {
        coordination.schedule(&due).await.is_ok()
    })
    .await;
}

fn refusal(error: &CoordinationError) -> Option<WriteRefusal> {
    match error {
        CoordinationError::WriteRefused { refusal, .. } => Some(*refusal),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_is_distinguished_from_one_that_is_away() {
    assert_refused(
        "CONFIG SET maxmemory 1",
        "CONFIG SET maxmemory 0",
        WriteRefusal::OutOfMemory,
        "OOM command not allowed",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_redis_is_distinguished_from_one_that_is_away() {
    assert_refused(
        "REPLICAOF 127.0.0.1 1",
        "REPLICAOF NO ONE",
        WriteRefusal::ReadOnly,
        "READONLY You can't write",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_its_replicas_is_distinguished_from_one_that_is_away() {
    assert_refused(
        "CONFIG SET min-replicas-to-write 1",
        "CONFIG SET min-replicas-to-write 0",
        WriteRefusal::TooFewReplicas,
        "NOREPLICAS Not enough",
    )
    .await;
}
