//! Storage for benchmarks: a SQLite file, or PostgreSQL and Redis, both with durability on.

use chrono::{DateTime, Utc};
use domain::rollup::DAY;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use tempfile::TempDir;
use testkit::{PostgresServer, RedisServer, builders};

/// Kind of storage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Sqlite,
    Postgres,
}

impl Layout {
    pub(crate) const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite, in process",
            Self::Postgres => "PostgreSQL + Redis",
        }
    }
}

/// An empty, migrated database, and Redis if the layout has it. Removed when dropped.
pub(crate) struct Storage {
    pub(crate) layout: Layout,
    pub(crate) db: DatabaseConnection,
    pub(crate) url: String,
    _postgres: Option<PostgresServer>,
    pub(crate) redis: Option<RedisServer>,
    pub(crate) directory: TempDir,
}

impl Storage {
    pub(crate) async fn new(layout: Layout) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (mut postgres, mut redis) = (None, None);
        let url = match layout {
            Layout::Sqlite => format!(
                "sqlite://{}",
                directory.path().join("bench.sqlite").display()
            ),
            Layout::Postgres => {
                redis = Some(RedisServer::start().await);
                postgres
                    .insert(PostgresServer::start_durable().await)
                    .create_database()
                    .await
            }
        };
        let pool = migration::Pool {
            application_name: "pulsecheck bench",
            ..migration::Pool::default()
        };
        let db = migration::connect(&url, &pool).await.unwrap();
        migration::run(&db).await.unwrap();
        Self {
            layout,
            db,
            url,
            _postgres: postgres,
            redis,
            directory,
        }
    }

    /// Inserts services of one user with URLs of `url` followed by a number.
    pub(crate) async fn add_services(&self, services: usize, interval_seconds: i32, url: &str) {
        use sea_orm::TransactionTrait as _;
        let user = builders::a_user(&self.db).await;
        let transaction = self.db.begin().await.unwrap();
        for i in 0..services {
            let service = builders::a_service(&transaction, &user).name(&format!("service {i}"));
            service
                .url(format!("{url}{i}"))
                .interval(interval_seconds)
                .timeout(1_000)
                .create()
                .await;
        }
        transaction.commit().await.unwrap();
    }

    /// Returns SQL for a series of integers, available as `g.value`.
    pub(crate) fn series(&self, from: i64, to: i64) -> String {
        match self.layout {
            Layout::Postgres => format!("generate_series({from}::bigint, {to}::bigint) AS g (value)"),
            Layout::Sqlite => format!(
                "(WITH RECURSIVE n (value) AS (SELECT {from} UNION ALL SELECT value + 1 FROM n WHERE value < {to})
                  SELECT value FROM n) AS g"
            ),
        }
    }

    /// Creates the partition of a UTC day, which a worker would have created in advance.
    pub(crate) async fn add_partition(&self, day: DateTime<Utc>) {
        if self.layout == Layout::Postgres {
            let (from, to) = (day.timestamp_millis(), (day + DAY).timestamp_millis());
            let name = day.format("checks_%Y%m%d");
            self.execute(&format!(
                "CREATE TABLE {name} PARTITION OF checks FOR VALUES FROM ({from}) TO ({to})"
            ))
            .await;
        }
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.db.execute_unprepared(sql).await.unwrap();
    }

    /// Returns the integers in column `n` of a query's result.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = self.db.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| {
                row.try_get::<i64>("", "n")
                    .or_else(|_| row.try_get::<i32>("", "n").map(i64::from))
                    .unwrap()
            })
            .collect()
    }

    /// Returns the number of recorded checks.
    pub(crate) async fn checks(&self) -> i64 {
        self.numbers("SELECT count(*) AS n FROM checks").await[0]
    }

    /// Returns the lateness in milliseconds of each check with a slot in the range.
    pub(crate) async fn delays(&self, from: i64, to: i64) -> Vec<i64> {
        self.numbers(&format!(
            "SELECT lateness_ms AS n FROM checks WHERE slot >= {from} AND slot < {to}"
        ))
        .await
    }
}
