//! Empty, migrated databases for tests: a SQLite file or a database on the shared PostgreSQL server.

use crate::postgres::PostgresServer;
use sea_orm::{DatabaseConnection, DbBackend};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Number of connections of a pool.
const CONNECTIONS: u32 = 8;

/// A migrated, empty database. Deleted with this value (SQLite) or at process exit (PostgreSQL).
#[derive(Debug)]
pub struct TestDatabase {
    /// A pool of a few connections.
    pub db: DatabaseConnection,
    /// Its `DATABASE_URL`, for a second pool or another process.
    pub url: String,
    _directory: Option<TempDir>,
}

impl TestDatabase {
    /// Opens another pool on the same database, like another process.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn connect_again(&self) -> DatabaseConnection {
        connect(&self.url, CONNECTIONS).await
    }

    /// Returns the connection a worker writes through: a single one for SQLite, else the pool.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn writer(&self) -> DatabaseConnection {
        match self.db.get_database_backend() {
            DbBackend::Sqlite => connect(&self.url, 1).await,
            _ => self.db.clone(),
        }
    }
}

/// Creates an empty database in a SQLite file.
///
/// # Panics
/// When the file cannot be made.
pub async fn sqlite() -> TestDatabase {
    /// Bytes of a migrated file, because writing them is faster than migrating again.
    static MIGRATED: OnceCell<Vec<u8>> = OnceCell::const_new();
    let migrated = MIGRATED.get_or_init(|| async {
        let (directory, file, url) = sqlite_file();
        migrate(&url).await;
        let bytes = std::fs::read(file).expect("the file was just migrated");
        drop(directory);
        bytes
    });
    let migrated = migrated.await;
    let (directory, file, url) = sqlite_file();
    std::fs::write(file, migrated).expect("a temporary directory can be written");
    TestDatabase {
        db: connect(&url, CONNECTIONS).await,
        url,
        _directory: Some(directory),
    }
}

/// Creates an empty database on the shared PostgreSQL server.
///
/// # Panics
/// When PostgreSQL is not installed, or refuses.
pub async fn postgres() -> TestDatabase {
    /// Name of a migrated template database, because copying it is faster than migrating again.
    static MIGRATED: OnceCell<String> = OnceCell::const_new();
    let server = PostgresServer::shared().await;
    let migrated = MIGRATED.get_or_init(|| async {
        let url = server.create_database().await;
        migrate(&url).await;
        url.rsplit('/')
            .next()
            .expect("the address ends with the name")
            .to_owned()
    });
    let url = server.create_database_from(migrated.await).await;
    TestDatabase {
        db: connect(&url, CONNECTIONS).await,
        url,
        _directory: None,
    }
}

/// Runs one test body over both databases, as two tests in a module of the function's name:
/// `on_each_database! { async fn nothing_is_lost(database: TestDatabase) { ... } }`.
#[macro_export]
macro_rules! on_each_database {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: $type:ty) $body:block)+) => { $(
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn body($database: $type) $body

            #[tokio::test]
            async fn sqlite() {
                Box::pin(body($crate::database::sqlite().await)).await;
            }

            #[tokio::test]
            async fn postgres() {
                Box::pin(body($crate::database::postgres().await)).await;
            }
        }
    )+ };
}

fn sqlite_file() -> (TempDir, std::path::PathBuf, String) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("test.sqlite");
    let url = format!("sqlite://{}", file.display());
    (directory, file, url)
}

async fn migrate(url: &str) {
    let db = connect(url, 1).await;
    migration::run(&db)
        .await
        .expect("a new database can be migrated");
    db.close().await.expect("a pool can be closed");
}

async fn connect(url: &str, max_connections: u32) -> DatabaseConnection {
    let pool = migration::Pool {
        max_connections,
        application_name: "pulsecheck-test",
        ..Default::default()
    };
    migration::connect(url, &pool)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}
