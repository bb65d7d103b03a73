//! The servers that other tests stand on: they start empty, keep or lose what they should, and leave nothing behind.
#![allow(clippy::unwrap_used)]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use testkit::{PostgresServer, RedisServer};

#[tokio::test]
async fn redis_keeps_its_data_over_a_restart_and_loses_it_when_killed_or_flushed() {
    let mut redis = RedisServer::start().await;
    let url = redis.url();
    assert_eq!(redis.command("DBSIZE").await, ":0");
    redis.command("SET a 1").await;
    assert_eq!(redis.command("GET a").await, "1");
    redis.restart().await;
    assert_eq!(
        (redis.command("DBSIZE").await.as_str(), redis.url()),
        (":1", url)
    );
    redis.flush().await;
    assert_eq!(redis.command("DBSIZE").await, ":0");
    redis.command("SET a 1").await;
    redis.kill().await;
    redis.start_again().await;
    assert_eq!(redis.command("EXISTS a").await, ":0");
}

#[tokio::test]
async fn postgres_keeps_its_databases_apart_and_over_a_restart_and_a_crash() {
    let mut postgres = PostgresServer::start().await;
    let url = postgres.create_database().await;
    assert!(
        url.ends_with("/test_0") && postgres.create_database().await.ends_with("/test_1"),
        "{url}"
    );
    postgres
        .execute("test_0", "CREATE TABLE t AS SELECT 1 AS a, 2 AS b")
        .await;
    assert!(
        postgres
            .create_database_from("test_0")
            .await
            .ends_with("/test_2")
    );
    postgres.restart().await;
    postgres.kill().await;
    postgres.start_again().await;
    for (database, tables) in [("test_0", "1"), ("test_1", "0"), ("test_2", "1")] {
        let found = postgres
            .execute(
                database,
                "SELECT count(*) FROM pg_tables WHERE tablename = 't'",
            )
            .await;
        assert_eq!(found, tables, "{database}");
    }
    assert_eq!(postgres.execute("test_0", "SELECT * FROM t").await, "1|2");
}

/// Run by the test below in a process of its own; by itself it shows that shared servers are one.
#[tokio::test]
async fn shared_servers_are_one_for_the_whole_process() {
    let redis = tokio::spawn(RedisServer::shared()).await.unwrap();
    let postgres = tokio::spawn(PostgresServer::shared()).await.unwrap();
    assert_eq!(redis.url(), RedisServer::shared().await.url());
    assert_eq!(postgres.url("x"), PostgresServer::shared().await.url("x"));
    if std::env::var_os("PULSECHECK_TEST_ABORT").is_some() {
        std::process::abort();
    }
}

#[test]
fn servers_end_and_their_directories_vanish_when_the_process_aborts() {
    let directory = tempfile::tempdir().unwrap();
    // PostgreSQL's own user must get in.
    std::fs::set_permissions(
        directory.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "shared_servers_are_one_for_the_whole_process"])
        .env("PULSECHECK_TEST_ABORT", "1")
        .env("TMPDIR", directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(
        status.signal(),
        Some(6),
        "the child must abort once its servers run"
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    while remains(directory.path()) {
        assert!(
            Instant::now() < deadline,
            "servers or their directories outlive an aborted process"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a file is left in the directory, or a process that works in it.
fn remains(directory: &Path) -> bool {
    let files = std::fs::read_dir(directory).unwrap().count() > 0;
    let mut processes = std::fs::read_dir("/proc").unwrap().flatten();
    files
        || processes.any(|process| {
            std::fs::read_link(process.path().join("cwd"))
                .is_ok_and(|cwd| cwd.starts_with(directory))
        })
}
