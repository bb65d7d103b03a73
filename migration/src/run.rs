//! Bringing a database to the schema of this program, one process at a time.

use crate::Migrator;
use crate::connect::innermost;
use crate::patience::Migrating;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait, SchemaManager};
use std::collections::HashSet;
use std::fs::{File, TryLockError};

/// "PulseChk" in ASCII: one number for all PulseCheck processes on one database.
const LOCK: i64 = 0x5075_6c73_6543_686b;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Another, later PulseCheck has changed the schema.
    #[error(
        "the database is newer than this program (it has the migration {0}): start the version of PulseCheck that made it, or a later one"
    )]
    Newer(String),
    /// The schema is older than the program, and this role does not change it.
    #[error("the database lacks {0} migration(s): run `pulsecheck migrate` first")]
    Older(usize),
    /// Another process has the SQLite file.
    #[error(
        "another PulseCheck is running on the database {0}: stop it, or set DATABASE_URL to another file"
    )]
    InUse(String),
    /// The database failed.
    #[error("migrating the database failed: {}", innermost(.0))]
    Database(DbErr),
    /// The lock file beside a SQLite file.
    #[error("cannot lock the database file against other processes: {0}")]
    Lock(std::io::Error),
}

impl From<DbErr> for MigrationError {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

/// Applies every migration that is missing, all or none: what dies in the middle leaves nothing behind. Processes that
/// start together wait for one another: PostgreSQL holds an advisory lock, SQLite its only place to write.
///
/// # Errors
/// [`MigrationError::Newer`] before anything is touched, or what the database said.
pub async fn run(db: &DatabaseConnection) -> Result<(), MigrationError> {
    apply(db, None).await
}

/// Applies the oldest `count` migrations to an empty database, for tests of the later ones.
///
/// # Errors
/// As [`run`].
#[doc(hidden)]
pub async fn run_first(db: &DatabaseConnection, count: u32) -> Result<(), MigrationError> {
    apply(db, Some(count)).await
}

async fn apply(db: &DatabaseConnection, count: Option<u32>) -> Result<(), MigrationError> {
    let _migrating = Migrating::begin();
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions {
        sqlite_transaction_mode,
        ..TransactionOptions::default()
    };
    let transaction = db.begin_with_options(options).await?;
    if db.get_database_backend() == DbBackend::Postgres {
        // Waiting for another process, or for a big table, may take longer than a request may.
        let wait = format!("SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})");
        transaction.execute_unprepared(&wait).await?;
    }
    applied(&transaction).await?;
    Migrator::up(&transaction, count).await?;
    Ok(transaction.commit().await?)
}

/// Makes sure that the schema is exactly this program's, for roles that must not change it.
///
/// # Errors
/// [`MigrationError::Newer`] or [`MigrationError::Older`].
pub async fn verify(db: &DatabaseConnection) -> Result<(), MigrationError> {
    match Migrator::migrations()
        .len()
        .saturating_sub(applied(db).await?)
    {
        0 => Ok(()),
        missing => Err(MigrationError::Older(missing)),
    }
}

/// How many of this program's migrations the database has.
async fn applied<'c, C>(db: &'c C) -> Result<usize, MigrationError>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    // Only looking: roles that must not change the schema may lack the right to.
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

/// Keeps a SQLite file for this process alone, by a lock on `<file>.in-use` for as long as the returned handle lives.
/// `None` for databases that several processes may share.
///
/// # Errors
/// [`MigrationError::InUse`] when another process has it.
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

/// The path of the SQLite file that `db` is in; `None` for a server, and for a database in memory.
///
/// # Errors
/// When the database does not answer.
pub async fn sqlite_file(db: &DatabaseConnection) -> Result<Option<String>, DbErr> {
    if db.get_database_backend() != DbBackend::Sqlite {
        return Ok(None);
    }
    let list = Statement::from_string(DbBackend::Sqlite, "PRAGMA database_list");
    let row = db.query_one_raw(list).await?;
    let path: Option<String> = row.map(|row| row.try_get("", "file")).transpose()?;
    Ok(path.filter(|path| !path.is_empty()))
}
