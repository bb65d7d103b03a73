//! Runs and verifies migrations, one process at a time.

use crate::connect::innermost;
use crate::migrator::Migrator;
use crate::statement_timeout::TimeoutsDisabled;
use futures::future::BoxFuture;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait, SchemaManager};
use std::collections::HashSet;
use std::fs::{File, TryLockError};

/// Key of PostgreSQL's advisory lock: "PulseChk" in ASCII.
const LOCK: i64 = 0x5075_6c73_6543_686b;

/// Error of migrating or verifying the schema.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The schema is of a newer version.
    #[error(
        "the database is newer than this program (it has the migration {0}): start the version of PulseCheck that made it, or a later one"
    )]
    Newer(String),
    /// The schema is of an older version, and this role does not migrate.
    #[error("the database lacks {0} migration(s): run `pulsecheck migrate` first")]
    Older(usize),
    /// Another process uses the SQLite file.
    #[error(
        "another PulseCheck is running on the database {0}: stop it, or set DATABASE_URL to another file"
    )]
    InUse(String),
    /// The database failed.
    #[error("migrating the database failed: {}", innermost(.0))]
    Database(DbErr),
    /// The lock file of a SQLite file failed.
    #[error("cannot lock the database file against other processes: {0}")]
    Lock(std::io::Error),
}

impl From<DbErr> for MigrationError {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

/// Applies all missing migrations in one transaction. Concurrent processes wait for each other, by an
/// advisory lock in PostgreSQL and the write lock in SQLite.
///
/// # Errors
/// Returns [`MigrationError::Newer`] before any change, or the error of the database.
pub fn run(db: &DatabaseConnection) -> BoxFuture<'_, Result<(), MigrationError>> {
    Box::pin(apply(db, None))
}

/// Applies the oldest `count` migrations to an empty database, for tests of the later ones.
///
/// # Errors
/// As [`run`].
#[doc(hidden)]
pub fn run_first(db: &DatabaseConnection, count: u32) -> BoxFuture<'_, Result<(), MigrationError>> {
    Box::pin(apply(db, Some(count)))
}

async fn apply(db: &DatabaseConnection, count: Option<u32>) -> Result<(), MigrationError> {
    let _migrating = TimeoutsDisabled::begin();
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions {
        sqlite_transaction_mode,
        ..TransactionOptions::default()
    };
    let transaction = db.begin_with_options(options).await?;
    if db.get_database_backend() == DbBackend::Postgres {
        // Waiting for another process or a big table may exceed the statement timeout.
        let wait = format!("SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})");
        transaction.execute_unprepared(&wait).await?;
    }
    applied(&transaction).await?;
    Migrator::up(&transaction, count).await?;
    Ok(transaction.commit().await?)
}

/// Verifies that the schema is exactly of this version, for roles that must not change it.
///
/// # Errors
/// Returns [`MigrationError::Newer`] or [`MigrationError::Older`].
pub async fn verify(db: &DatabaseConnection) -> Result<(), MigrationError> {
    match Migrator::migrations()
        .len()
        .saturating_sub(applied(db).await?)
    {
        0 => Ok(()),
        missing => Err(MigrationError::Older(missing)),
    }
}

/// Returns how many migrations of this version are applied.
async fn applied<'c, C>(db: &'c C) -> Result<usize, MigrationError>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    // Read only, because roles that must not change the schema may lack the permission.
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(0);
    }
    let known: HashSet<String> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let applied = Migrator::get_migration_models(db).await?;
    match applied
        .iter()
        .find(|migration| !known.contains(&migration.version))
    {
        Some(newer) => Err(MigrationError::Newer(newer.version.clone())),
        None => Ok(applied.len()),
    }
}

/// Locks a SQLite file for this process, by `<file>.in-use`, until the returned handle is dropped.
/// Returns `None` for databases that processes can share.
///
/// # Errors
/// Returns [`MigrationError::InUse`] if another process holds the lock.
pub async fn keep_for_this_process(
    db: &DatabaseConnection,
) -> Result<Option<File>, MigrationError> {
    let Some(path) = sqlite_file(db).await? else {
        return Ok(None);
    };
    let file = File::create(format!("{path}.in-use")).map_err(MigrationError::Lock)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(MigrationError::InUse(path)),
        Err(TryLockError::Error(error)) => Err(MigrationError::Lock(error)),
    }
}

/// Returns the path of the SQLite file of `db`; `None` for PostgreSQL and in-memory databases.
///
/// # Errors
/// Fails if the database does not answer.
pub async fn sqlite_file(db: &DatabaseConnection) -> Result<Option<String>, DbErr> {
    if db.get_database_backend() != DbBackend::Sqlite {
        return Ok(None);
    }
    let list = Statement::from_string(DbBackend::Sqlite, "PRAGMA database_list");
    let row = db.query_one_raw(list).await?;
    let path: Option<String> = row.map(|row| row.try_get("", "file")).transpose()?;
    Ok(path.filter(|path| !path.is_empty()))
}
