//! Opens PostgreSQL and SQLite databases with the options that PulseCheck needs.

use crate::statement_timeout::set_statement_timeout;
use futures::future::BoxFuture;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::sqlx::{Connection as _, PgConnection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::error::Error;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};
use url::Url;

/// Timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause before a locked SQLite file is opened again. Switching to WAL takes a few milliseconds.
const LOCKED_PAUSE: Duration = Duration::from_millis(10);

/// Options of a connection pool.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Maximum number of connections.
    pub max_connections: u32,
    /// Client name shown by the server.
    pub application_name: &'static str,
    /// Statement timeout. In SQLite it applies to the time a connection is in use, which is one
    /// statement or one transaction.
    pub statement_timeout: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            max_connections: 10,
            application_name: "pulsecheck",
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// Error of opening a database.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is of an unsupported database.
    #[error("DATABASE_URL is {0}: it must begin with postgres:// or sqlite://")]
    Scheme(String),
    /// The database does not answer or refuses the connection.
    #[error("cannot use the database at {url}: {cause}")]
    Unreachable {
        /// The URL without its password.
        url: String,
        /// The error of the database or network.
        cause: String,
    },
    /// A SQLite file that cannot be written.
    #[error(
        "the database {url} cannot be written ({cause}): check the owner and mode of the file and its directory, and the free space"
    )]
    ReadOnly {
        /// The URL.
        url: String,
        /// The error of SQLite.
        cause: String,
    },
}

/// Connects and verifies that the database answers and that a SQLite file is writable.
///
/// # Errors
/// Returns a [`ConnectError`] whose message contains no password.
pub fn connect<'a>(
    url: &'a str,
    pool: &'a Pool,
) -> BoxFuture<'a, Result<DatabaseConnection, ConnectError>> {
    Box::pin(connect_and_verify(url, pool))
}

async fn connect_and_verify(url: &str, pool: &Pool) -> Result<DatabaseConnection, ConnectError> {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT);
    let sqlite = match url.split(':').next() {
        Some("sqlite") => true,
        Some("postgres" | "postgresql") => false,
        _ => return Err(ConnectError::Scheme(redacted(url))),
    };
    options.max_connections(pool.max_connections);
    if sqlite {
        create_privately(url);
        // Sync on every commit. The recorder commits in batches, so this is affordable.
        options.map_sqlx_sqlite_opts(|options| {
            options
                .create_if_missing(true)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                .pragma("journal_mode", "wal")
                .pragma("synchronous", "full")
                .pragma("cache_size", "-65536")
                // 16 MB instead of 4: many checks write the same pages, which then are checkpointed once.
                // Not more, because a commit waits for the checkpoint.
                .pragma("wal_autocheckpoint", "4000")
                .pragma("temp_store", "memory")
                .statement_cache_capacity(500)
                // The reading thread passes on single rows and blocks when this buffer is full.
                .row_buffer_size(1024)
        });
        let limit = pool.statement_timeout;
        options.map_sqlx_sqlite_pool_opts(move |pool| {
            pool.after_connect(move |connection, _| {
                Box::pin(set_statement_timeout(connection, limit))
            })
        });
        options.map_sqlx_sqlite_before_acquire(move |connection, _| {
            Box::pin(async move {
                set_statement_timeout(connection, limit).await?;
                // SQLite rolls back on its own when the disk is full. The driver does not notice, and later
                // commits would be lost: discard such a connection.
                Ok(!connection.is_in_transaction())
            })
        });
        // Opening a SQLite connection is cheap, but each has its own page cache.
        options
            .min_connections(1)
            .idle_timeout(Duration::from_secs(60));
    } else {
        options
            .set_application_name(pool.application_name)
            .statement_timeout(pool.statement_timeout);
        // Preparing a statement about many services takes ten times as long as running it.
        options.map_sqlx_postgres_opts(|options| options.options([("jit", "off")]));
        // Costs a round trip per use, but never hands out a connection that a server restart closed.
        options.test_before_acquire(true);
    }
    let unreachable = |cause| ConnectError::Unreachable {
        url: redacted(url),
        cause,
    };
    if !sqlite {
        // The pool retries until its timeout and then reports only that. Connect once for the real error.
        let one = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect(url)).await;
        let one = one.map_err(|_| {
            unreachable(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))
        })?;
        drop(one.map_err(|error| unreachable(innermost(&error)))?);
    }
    let db = open(options)
        .await
        .map_err(|error| unreachable(innermost(&error)))?;
    db.ping()
        .await
        .map_err(|error| unreachable(innermost(&error)))?;
    if sqlite {
        let readonly = |error| ConnectError::ReadOnly {
            url: redacted(url),
            cause: innermost(&error),
        };
        check_writable(&db).await.map_err(readonly)?;
    }
    Ok(db)
}

/// Creates a SQLite file that nobody else on this machine can read. SQLite gives the files beside it
/// the same permissions. A file that cannot be created is left to SQLite, which says why.
fn create_privately(url: &str) {
    let Ok(options) = url.parse::<SqliteConnectOptions>() else {
        return;
    };
    let file = options.get_filename();
    if !url.contains(":memory:") && !url.contains("mode=memory") && !url.contains("mode=ro") {
        let _ = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file);
    }
}

/// Opens a pool, with retries. When two processes switch a new SQLite file to WAL at the same time,
/// one fails immediately with `SQLITE_BUSY` despite its busy timeout, to avoid a deadlock.
async fn open(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let deadline = Instant::now() + CONNECT_TIMEOUT;
    loop {
        match Database::connect(options.clone()).await {
            // SQLITE_BUSY.
            Err(error)
                if entity::sql::error_code(&error).is_some_and(|code| code == "5")
                    && Instant::now() < deadline =>
            {
                tokio::time::sleep(LOCKED_PAUSE).await;
            }
            opened => return opened,
        }
    }
}

/// Returns the message of the innermost error.
pub(crate) fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Fails if the database is not writable. Writes in a transaction that is rolled back.
async fn check_writable(db: &DatabaseConnection) -> Result<(), DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions {
        sqlite_transaction_mode,
        ..TransactionOptions::default()
    };
    let transaction = db.begin_with_options(options).await?;
    transaction
        .execute_unprepared("CREATE TABLE write_probe (n integer)")
        .await?;
    transaction.rollback().await
}

/// Removes the password, and parameters that may contain one, from a database URL for printing.
#[must_use]
pub fn redacted(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed) if parsed.has_host() => {
            if parsed.password().is_some() && parsed.set_password(Some("***")).is_err() {
                return "(an address that cannot be shown)".into();
            }
            parsed.set_query(None);
            parsed.into()
        }
        Ok(_) => url.split('?').next().unwrap_or_default().to_owned(),
        Err(_) => "(an address that cannot be read)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_ever_printed() {
        for (url, shown) in [
            (
                "postgres://me:secret@db/pulse?password=secret",
                "postgres://me:***@db/pulse",
            ),
            (
                "sqlite:///var/lib/x.sqlite?mode=rwc",
                "sqlite:///var/lib/x.sqlite",
            ),
            ("sqlite::memory:", "sqlite::memory:"),
            ("secret", "(an address that cannot be read)"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }
}
