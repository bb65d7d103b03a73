//! The measured program and its storage.

use crate::target;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use std::process::Stdio;
use std::time::{Duration, Instant};
use testkit::{RedisServer, TestDatabase, builders, database};
use tokio::process::{Child, Command};

/// Which storage the program runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Sqlite,
    Postgres,
}

impl Layout {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite, in process",
            Self::Postgres => "PostgreSQL + Redis",
        }
    }
}

pub(crate) struct Program {
    child: Child,
    db: DatabaseConnection,
    _database: TestDatabase,
    _redis: Option<RedisServer>,
    _target: Child,
    _data: tempfile::TempDir,
}

impl Program {
    /// Starts the program on a database that already holds the services.
    pub(crate) async fn start(layout: Layout, services: usize, interval_seconds: i32) -> Self {
        let (target, url) = target::start().await;
        let database = match layout {
            Layout::Sqlite => database::sqlite().await,
            Layout::Postgres => database::postgres().await,
        };
        let redis = if layout == Layout::Postgres { Some(RedisServer::start().await) } else { None };
        seed(&database.db, services, interval_seconds, &url).await;

        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pulsecheck"));
        command.env_clear().env("DATABASE_URL", &database.url).env("PULSECHECK_DATA_DIR", data.path());
        command.env("PULSECHECK_LISTEN", "127.0.0.1:0").env("PULSECHECK_CONCURRENCY_PER_HOST", "256");
        command.env("PULSECHECK_ALLOW_PRIVATE_TARGETS", "true").env("PULSECHECK_LOG", "warn");
        if let Some(redis) = &redis {
            command.arg("worker").env("REDIS_URL", redis.url());
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().unwrap();
        let db = database.connect_again().await;
        Self { child, db, _database: database, _redis: redis, _target: target, _data: data }
    }

    /// Waits for `wait` and counts the checks recorded since the call.
    pub(crate) async fn recorded_since(&mut self, begin: Instant, wait: Duration) -> i64 {
        let before = self.count().await;
        tokio::time::sleep_until((begin + wait).into()).await;
        assert!(self.child.try_wait().unwrap().is_none(), "the program ended");
        self.count().await - before
    }

    async fn count(&self) -> i64 {
        self.query("SELECT count(*) AS n FROM checks").await[0]
    }

    /// How long after its slot each check of these slots was made, in milliseconds.
    pub(crate) async fn delays(&self, from: i64, to: i64) -> Vec<i64> {
        self.query(&format!("SELECT delay_ms AS n FROM checks WHERE slot >= {from} AND slot < {to}")).await
    }

    async fn query(&self, sql: &str) -> Vec<i64> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = self.db.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get::<i64>("", "n").or_else(|_| row.try_get::<i32>("", "n").map(i64::from)).unwrap())
            .collect()
    }

    /// User and system time of the program so far (`/proc/<pid>/stat`, in hundredths of a second on Linux).
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id().unwrap())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = [11, 12].iter().map(|i| fields[*i].parse::<f64>().unwrap()).sum();
        ticks / 100.0
    }

    pub(crate) async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}

async fn seed(db: &DatabaseConnection, services: usize, interval_seconds: i32, url: &str) {
    use sea_orm::TransactionTrait as _;
    let user = builders::a_user(db).await;
    let transaction = db.begin().await.unwrap();
    for i in 0..services {
        let service = builders::a_service(&transaction, &user).name(&format!("service {i}")).url(format!("{url}{i}"));
        service.interval(interval_seconds).timeout(1_000).create().await;
    }
    transaction.commit().await.unwrap();
}
