//! `backup` and `restore`: a copy taken from a running program brings everything back, and whatever is no such copy is
//! refused before anything is touched.

use crate::client::Client;
use crate::process::{Process, SOON, pulsecheck};
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;
use std::process::Output;
use tokio::time::timeout;

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.directory
            .path()
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    }

    fn start(&self) -> Process {
        let data = self.path("data");
        Process::start(
            &[],
            &[
                ("PULSECHECK_DATA_DIR", &data),
                ("PULSECHECK_LISTEN", "127.0.0.1:0"),
            ],
        )
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let data = self.path("data");
        let ended = timeout(
            SOON,
            pulsecheck(arguments, &[("PULSECHECK_DATA_DIR", &data)]).output(),
        )
        .await;
        ended.expect("it ends by itself").unwrap()
    }

    async fn succeeds(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments).await;
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// The sentence of a refusal.
    async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        error
    }
}

async fn sign_in(process: &mut Process) -> Client {
    let base = process.announced("Listening on ").await;
    Client::sign_in(&base, &process.announced("Sign in: ").await).await
}

async fn add(client: &Client, name: &str) {
    let input = json!({ "name": name, "url": "http://127.0.0.1:9/", "checkIntervalSeconds": 10 });
    let query = "mutation ($input: CreateServiceInput!) { createService(input: $input) { id } }";
    client
        .data(
            query,
            json!({ "input": testkit::input::new_service(input) }),
        )
        .await;
}

fn names(database: &Path) -> Vec<String> {
    let db = Connection::open(database).unwrap();
    let mut statement = db
        .prepare("SELECT name FROM services ORDER BY name")
        .unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_copy_of_a_running_program_brings_back_what_was_there_and_keeps_what_it_replaced() {
    let place = Place::new();
    let mut process = place.start();
    let client = sign_in(&mut process).await;
    add(&client, "before").await;
    place
        .succeeds(&["backup", &place.path("copy.sqlite")])
        .await;
    let stdout = place.succeeds(&["backup", "-"]).await.stdout;
    std::fs::write(place.path("piped.sqlite"), stdout).unwrap();
    add(&client, "after").await;

    let error = place
        .refused(&["restore", &place.path("copy.sqlite")])
        .await;
    assert!(
        error.contains("another PulseCheck is running on the data directory"),
        "{error}"
    );
    assert_eq!(process.terminate().await, Some(0));

    for copy in ["copy.sqlite", "piped.sqlite"] {
        // By its header it needs no log beside it, and so can be read from where nothing can be written.
        assert_eq!(
            std::fs::read(place.path(copy)).unwrap()[18..20],
            [1, 1],
            "{copy}"
        );
        assert_eq!(names(Path::new(&place.path(copy))), ["before"], "{copy}");
    }
    place
        .succeeds(&["restore", &place.path("copy.sqlite")])
        .await;
    let mut process = place.start();
    let client = sign_in(&mut process).await;
    let found = client.data("{ services { name } }", json!({})).await;
    assert_eq!(found["services"], json!([{ "name": "before" }]));
    assert_eq!(process.terminate().await, Some(0));

    let data = std::fs::read_dir(place.path("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let kept: Vec<_> = data
        .filter(|path| path.to_str().unwrap().contains(".before-restore-"))
        .collect();
    // The log and the index of a database stand beside it.
    let beside = |path: &Path| {
        ["-wal", "-shm"]
            .iter()
            .any(|suffix| path.to_str().unwrap().ends_with(suffix))
    };
    let database = kept.iter().find(|path| !beside(path)).unwrap();
    assert_eq!(names(database), ["after", "before"]);
}

#[tokio::test]
async fn only_an_undamaged_copy_of_this_version_or_an_earlier_one_is_put_in_place() {
    let place = Place::new();
    let mut process = place.start();
    let client = sign_in(&mut process).await;
    add(&client, "mine").await;
    place
        .succeeds(&["backup", &place.path("good.sqlite")])
        .await;
    assert_eq!(process.terminate().await, Some(0));

    std::fs::write(
        place.path("text"),
        "this is no database, and it is long enough to be read as a header of one",
    )
    .unwrap();
    Connection::open(place.path("foreign.sqlite"))
        .unwrap()
        .execute_batch("CREATE TABLE t (n)")
        .unwrap();
    std::fs::copy(place.path("good.sqlite"), place.path("newer.sqlite")).unwrap();
    Connection::open(place.path("newer.sqlite"))
        .unwrap()
        .execute_batch("INSERT INTO seaql_migrations VALUES ('m29991231_000001_future', 0)")
        .unwrap();
    let mut damaged = std::fs::read(place.path("good.sqlite")).unwrap();
    let half = damaged.len() / 2;
    damaged[half..].fill(0xa5);
    std::fs::write(place.path("damaged.sqlite"), damaged).unwrap();

    for (file, sentence) in [
        ("nowhere", "there is no backup at"),
        ("text", "cannot be read as a backup"),
        ("foreign.sqlite", "but not a PulseCheck database"),
        (
            "newer.sqlite",
            "the database is newer than this program (it has the migration m29991231_000001_future)",
        ),
        ("damaged.sqlite", "malformed"),
    ] {
        let error = place.refused(&["restore", &place.path(file)]).await;
        assert!(
            error.contains(sentence) || (file == "damaged.sqlite" && error.contains("damaged")),
            "{file}: {error}"
        );
        assert_eq!(
            names(Path::new(&place.path("data/pulsecheck.sqlite"))),
            ["mine"],
            "{file}"
        );
    }
    let left = std::fs::read_dir(place.path("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_str().unwrap().contains("restore"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_says_what_is_wrong() {
    let place = Place::new();
    let error = place.refused(&["backup", &place.path("copy.sqlite")]).await;
    assert!(
        error.contains("there is no database at") && error.contains("PULSECHECK_DATA_DIR"),
        "{error}"
    );

    let mut process = place.start();
    process.announced("Sign in: ").await;
    assert_eq!(process.terminate().await, Some(0));
    std::fs::write(place.path("copy.sqlite"), "precious").unwrap();
    let error = place.refused(&["backup", &place.path("copy.sqlite")]).await;
    assert!(error.contains("exists already"), "{error}");
    assert_eq!(
        std::fs::read_to_string(place.path("copy.sqlite")).unwrap(),
        "precious"
    );
    let error = place
        .refused(&["backup", &place.path("no/such/directory/copy.sqlite")])
        .await;
    assert!(error.contains("cannot write into"), "{error}");

    let postgres = [("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/pulse")];
    let output = pulsecheck(&["backup", "-"], &postgres)
        .output()
        .await
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("pg_dump") && !error.contains("hunter2"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_named_by_its_address_is_backed_up_and_restored_too() {
    let place = Place::new();
    let url = format!("sqlite://{}?mode=rwc", place.path("mine.sqlite"));
    let data = place.path("data");
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("PULSECHECK_DATA_DIR", data.as_str()),
        ("PULSECHECK_LISTEN", "127.0.0.1:0"),
    ];
    let mut process = Process::start(&[], &variables);
    let client = sign_in(&mut process).await;
    add(&client, "here").await;
    let copy = place.path("copy.sqlite");
    assert!(
        pulsecheck(&["backup", &copy], &variables)
            .output()
            .await
            .unwrap()
            .status
            .success()
    );
    let running = pulsecheck(&["restore", &copy], &variables)
        .output()
        .await
        .unwrap();
    let error = String::from_utf8(running.stderr).unwrap();
    assert!(
        error.contains("PulseCheck is running on the database"),
        "{error}"
    );
    assert_eq!(process.terminate().await, Some(0));
    assert!(
        pulsecheck(&["restore", &copy], &variables)
            .output()
            .await
            .unwrap()
            .status
            .success()
    );
    assert_eq!(names(Path::new(&place.path("mine.sqlite"))), ["here"]);
}
