//! Opening a database the one way in which PulseCheck uses it.

use crate::patience::end_after;
use sea_orm::sqlx::{Connection as _, PgConnection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::error::Error;
use std::time::{Duration, Instant};
use url::Url;

/// How long the database may take to answer at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause before a locked SQLite file is opened again: making a write-ahead log takes a few milliseconds.
const LOCKED_PAUSE: Duration = Duration::from_millis(10);

/// How many connections, and how patient.
#[derive(Debug, Clone)]
pub struct Pool {
    /// The most connections at once.
    pub max_connections: u32,
    /// What the server shows as the client's name.
    pub application_name: &'static str,
    /// PostgreSQL ends a statement that runs longer; SQLite the one that runs when a connection has been in use for so long,
    /// which is one statement or one transaction.
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

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is of another kind of database.
    #[error("DATABASE_URL is {0}: it must begin with postgres:// or sqlite://")]
    Scheme(String),
    /// It does not answer, or refuses.
    #[error("cannot use the database at {url}: {cause}")]
    Unreachable {
        /// The address without its password.
        url: String,
        /// What it or the network said.
        cause: String,
    },
    /// A SQLite file that cannot be written.
    #[error(
        "the database {url} cannot be written ({cause}): check the owner and mode of the file and its directory, and the free space"
    )]
    ReadOnly {
        /// The address.
        url: String,
        /// What SQLite said.
        cause: String,
    },
}

/// Connects and makes sure that the database answers (and, for a SQLite file, can be written).
///
/// # Errors
/// [`ConnectError`], with a sentence for the operator that shows no password.
pub async fn connect(url: &str, pool: &Pool) -> Result<DatabaseConnection, ConnectError> {
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
        // Committed means on the disk: the recorder commits in groups, so it can afford a sync for each.
        options.map_sqlx_sqlite_opts(|options| {
            options
                .create_if_missing(true)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                .pragma("journal_mode", "wal")
                .pragma("synchronous", "full")
                .pragma("cache_size", "-65536")
                // 16 MB instead of 4: checks of many services are many writes of the same pages, which then come into the file
                // once. Whoever commits waits for that, so no more.
                .pragma("wal_autocheckpoint", "4000")
                .pragma("temp_store", "memory")
                .statement_cache_capacity(500)
                // The thread that reads hands over row by row: with less room it waits for whoever takes them.
                .row_buffer_size(1024)
        });
        let limit = pool.statement_timeout;
        options.map_sqlx_sqlite_pool_opts(move |pool| {
            pool.after_connect(move |connection, _| Box::pin(end_after(connection, limit)))
        });
        options.map_sqlx_sqlite_before_acquire(move |connection, _| {
            Box::pin(async move {
                end_after(connection, limit).await?;
                // SQLite takes a transaction back by itself when the disk is full. The driver, which is not told, would go on
                // inside of it, and what is committed then would never be: such a connection is done with.
                Ok(!connection.is_in_transaction())
            })
        });
        // Opening a SQLite connection is cheap, but each keeps a cache of its own.
        options
            .min_connections(1)
            .idle_timeout(Duration::from_secs(60));
    } else {
        options
            .set_application_name(pool.application_name)
            .statement_timeout(pool.statement_timeout);
        // Compiling a statement about many services takes ten times as long as running it.
        options.map_sqlx_postgres_opts(|options| options.options([("jit", "off")]));
        // A round trip for each use, so that nobody is handed a connection that a restart of the server has ended.
        options.test_before_acquire(true);
    }
    let unreachable = |cause| ConnectError::Unreachable {
        url: redacted(url),
        cause,
    };
    if !sqlite {
        // A pool tries again until its time is up, and then knows no other reason than that.
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
        write_nothing(&db).await.map_err(readonly)?;
    }
    Ok(db)
}

/// Opens a pool, again if need be: of those who make a new SQLite file's journal a write-ahead log at the same moment one is
/// told at once that the file is locked, however long it would wait, because the other one waits for its lock on reading.
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

/// What an error comes down to, without the words of the layers that it came through.
pub(crate) fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Writes as far as to know that it could be kept, and takes it back. Others may be doing the same.
async fn write_nothing(db: &DatabaseConnection) -> Result<(), DbErr> {
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

/// A database address that may be printed: without the password, and without parameters, which may hold one.
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
