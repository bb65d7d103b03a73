//! Starting wrongly: each mistake ends the program at once, with a sentence that names the setting and the remedy.

use crate::client::http;
use crate::process::{Process, SOON, pulsecheck};
use std::os::unix::fs::PermissionsExt as _;
use tokio::time::timeout;

/// Runs to its end and returns (exit code, standard error).
async fn refused(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let ended = timeout(SOON, pulsecheck(arguments, variables).output()).await;
    let output = ended.expect("it ends by itself").unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    error
}

#[tokio::test]
async fn wrong_settings_are_all_named_at_once() {
    let wrong = [
        ("PULSECHECK_LISTEN", "nowhere"),
        ("PULSECHECK_CONCURRENCY", "many"),
        ("PULSECHECK_SECRET_KEY", "short"),
    ];
    let error = refused(&[], &wrong).await;
    for name in [
        "PULSECHECK_LISTEN is \"nowhere\"",
        "PULSECHECK_CONCURRENCY is \"many\"",
        "PULSECHECK_SECRET_KEY must",
    ] {
        assert!(error.contains(name), "{error}");
    }
}

#[tokio::test]
async fn a_second_start_on_the_same_data_or_port_is_refused_and_harms_nothing() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = data.path().to_str().unwrap();
    let mut first = Process::start(
        &[],
        &[
            ("PULSECHECK_DATA_DIR", data),
            ("PULSECHECK_LISTEN", "127.0.0.1:0"),
        ],
    );
    let base = first.announced("Listening on ").await;

    let error = refused(
        &[],
        &[
            ("PULSECHECK_DATA_DIR", data),
            ("PULSECHECK_LISTEN", "127.0.0.1:0"),
        ],
    )
    .await;
    assert!(
        error.contains("another PulseCheck is running on the data directory"),
        "{error}"
    );

    let address = base.trim_start_matches("http://").trim_end_matches('/');
    let other = other.path().to_str().unwrap();
    let error = refused(
        &[],
        &[
            ("PULSECHECK_DATA_DIR", other),
            ("PULSECHECK_LISTEN", address),
        ],
    )
    .await;
    assert!(
        error.contains(&format!("cannot listen on {address}"))
            && error.contains("PULSECHECK_LISTEN"),
        "{error}"
    );

    let health = http()
        .build()
        .unwrap()
        .get(format!("{base}/api/health"))
        .send()
        .await
        .unwrap();
    assert!(health.status().is_success());
    assert_eq!(first.terminate().await, Some(0));
}

#[tokio::test]
async fn an_unusable_data_directory_is_named_with_the_remedy() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("data");
    let error = refused(&[], &[("PULSECHECK_DATA_DIR", path.to_str().unwrap())]).await;
    assert!(
        error.contains(path.to_str().unwrap()) && error.contains("set PULSECHECK_DATA_DIR"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_that_is_not_there_or_not_writable_is_named_without_its_password() {
    let secret_key = "0123456789abcdef0123456789abcdef";
    let nowhere = [
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/pulse"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("PULSECHECK_SECRET_KEY", secret_key),
    ];
    let error = refused(&["api"], &nowhere).await;
    assert!(
        error.contains("cannot use the database at postgres://me:***@127.0.0.1:1/pulse"),
        "{error}"
    );
    assert!(!error.contains("hunter2"));

    let file = [
        ("DATABASE_URL", "sqlite:///tmp/x.sqlite"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("PULSECHECK_SECRET_KEY", secret_key),
    ];
    let error = refused(&["worker"], &file).await;
    assert!(
        error.contains("DATABASE_URL") && error.contains("one process"),
        "{error}"
    );

    for role in ["api", "worker"] {
        let error = refused(&[role], &[]).await;
        for name in ["DATABASE_URL", "REDIS_URL", "PULSECHECK_SECRET_KEY"] {
            assert!(error.contains(name), "{role}: {error}");
        }
    }

    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("pulsecheck.sqlite");
    std::fs::write(
        &file,
        "this is no database, and it is long enough to be read as a header of one",
    )
    .unwrap();
    let error = refused(
        &[],
        &[("PULSECHECK_DATA_DIR", data.path().to_str().unwrap())],
    )
    .await;
    assert!(error.contains("pulsecheck.sqlite"), "{error}");
    assert_eq!(
        std::fs::read(&file).unwrap().len(),
        72,
        "what stood there is untouched"
    );
}

#[tokio::test]
async fn the_secret_key_is_for_its_owner_alone_and_outlives_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let variables = [
        ("PULSECHECK_DATA_DIR", data.path().to_str().unwrap()),
        ("PULSECHECK_LISTEN", "127.0.0.1:0"),
    ];
    let mut keys = Vec::new();
    for _ in 0..2 {
        let mut process = Process::start(&[], &variables);
        process.announced("Sign in: ").await;
        assert_eq!(process.terminate().await, Some(0));
        let file = data.path().join("secret.key");
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        keys.push(std::fs::read(file).unwrap());
    }
    assert_eq!(keys[0], keys[1]);
}
