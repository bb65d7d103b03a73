//! What containers run besides the program itself: waiting for what it needs, and judging whether it is well.

use crate::process::{SOON, pulsecheck};
use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};
use testkit::{PostgresServer, RedisServer};
use tokio::time::timeout;

/// Runs to its end and returns (whether it succeeded, standard error).
async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let ended = timeout(SOON, pulsecheck(arguments, variables).output()).await;
    let output = ended.expect("it ends by itself").unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[tokio::test]
async fn waiting_ends_when_database_schema_and_redis_are_there() {
    let (mut postgres, redis) = (PostgresServer::start().await, RedisServer::start().await);
    let (database, redis_url) = (postgres.create_database().await, redis.url());
    let storage = [
        ("DATABASE_URL", database.as_str()),
        ("REDIS_URL", redis_url.as_str()),
    ];

    assert!(run(&["wait"], &storage).await.0);
    let (done, error) = run(&["wait", "--schema", "--timeout", "2"], &storage).await;
    assert!(
        !done && error.contains("gave up waiting") && error.contains("pulsecheck migrate"),
        "{error}"
    );

    // One that waits already goes on as soon as the schema is there.
    let waiting = pulsecheck(&["wait", "--schema"], &storage).spawn().unwrap();
    assert!(run(&["migrate"], &storage).await.0);
    let ended = timeout(SOON, waiting.wait_with_output())
        .await
        .expect("the schema is there")
        .unwrap();
    assert!(ended.status.success());

    // One that waits for a server that comes back later.
    postgres.stop().await;
    let waiting = pulsecheck(&["wait", "--schema"], &storage).spawn().unwrap();
    postgres.start_again().await;
    let ended = timeout(SOON, waiting.wait_with_output())
        .await
        .expect("the server is back")
        .unwrap();
    assert!(ended.status.success());
}

#[tokio::test]
async fn the_first_person_gets_in_by_a_link_and_others_by_being_allowed() {
    let postgres = PostgresServer::start().await;
    let database = postgres.create_database().await;
    let storage = [
        ("DATABASE_URL", database.as_str()),
        ("PULSECHECK_LISTEN", "0.0.0.0:8080"),
    ];
    assert!(run(&["migrate"], &storage).await.0);
    let (done, error) = run(&["login-link"], &storage).await;
    assert!(done, "{error}");
    let off = [&storage[..], &[("PULSECHECK_LOCAL_LOGIN", "false")]].concat();
    let (done, error) = run(&["login-link"], &off).await;
    assert!(
        !done && error.contains("PULSECHECK_LOCAL_LOGIN is false"),
        "{error}"
    );

    for arguments in [
        &["allow", "ada@example.com"][..],
        &["allow", "ada@example.com", "--remove"],
    ] {
        let (done, error) = run(arguments, &storage).await;
        assert!(done, "{arguments:?}: {error}");
    }
    let (done, error) = run(&["allow", "@example.com"], &storage).await;
    assert!(!done && error.contains("PULSECHECK_SIGN_UP"), "{error}");
}

#[tokio::test]
async fn waiting_for_nothing_or_in_vain_says_so_without_a_password() {
    let (done, error) = run(&["wait"], &[]).await;
    assert!(
        !done && error.contains("nothing to wait for") && error.contains("DATABASE_URL"),
        "{error}"
    );
    let nowhere = [("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/pulse")];
    let (done, error) = run(&["wait", "--timeout", "2"], &nowhere).await;
    assert!(
        !done
            && error.contains("postgres://me:***@127.0.0.1:1/pulse")
            && !error.contains("hunter2"),
        "{error}"
    );
    let redis = [("REDIS_URL", "redis://:hunter2@127.0.0.1:1")];
    let (done, error) = run(&["wait", "--timeout", "2"], &redis).await;
    assert!(!done && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_worker_is_well_while_its_heartbeat_is_young_enough() {
    let heartbeat = tempfile::NamedTempFile::new().unwrap();
    let file = [(
        "PULSECHECK_HEARTBEAT_FILE",
        heartbeat.path().to_str().unwrap(),
    )];
    for (age, within, well) in [
        (0, "30", true),
        (45, "30", false),
        (45, "60", true),
        (90, "60", false),
    ] {
        let written = SystemTime::now() - Duration::from_secs(age);
        File::options()
            .write(true)
            .open(heartbeat.path())
            .unwrap()
            .set_times(FileTimes::new().set_modified(written))
            .unwrap();
        let (found, error) = run(&["healthcheck", "--worker", "--within", within], &file).await;
        assert_eq!(found, well, "{age} s old, allowed {within}: {error}");
        assert!(well || error.contains("s old"), "{error}");
    }
    let (found, error) = run(&["healthcheck", "--worker"], &[]).await;
    assert!(
        !found && error.contains("set PULSECHECK_HEARTBEAT_FILE"),
        "{error}"
    );
}
