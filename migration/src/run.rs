//! Bringing a database to the schema of this program, one process at a time.

use crate::Migrator;
use sea_orm::{AccessMode, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait};
use sea_orm_migration::{MigratorTrait, SchemaManager};
use std::collections::HashSet;

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
    /// The database failed.
    #[error("migrating the database failed: {0}")]
    Database(#[from] DbErr),
    /// The lock file beside a SQLite file.
    #[error("cannot lock the database file against other processes: {0}")]
    Lock(#[from] std::io::Error),
}

/// Applies every migration that is missing. Processes that start together wait for one another: PostgreSQL holds an
/// advisory lock, a SQLite file one on the file beside it.
///
/// # Errors
/// [`MigrationError::Newer`] before anything is touched, or what the database said.
pub async fn run(db: &DatabaseConnection) -> Result<(), MigrationError> {
    match db.get_database_backend() {
        DbBackend::Postgres => {
            // The transaction only carries the lock; it ends with the connection if this process dies.
            let lock = db.begin_with_config(None, Some(AccessMode::ReadWrite)).await?;
            lock.execute_raw(Statement::from_string(
                DbBackend::Postgres,
                format!("SELECT pg_advisory_xact_lock({LOCK})"),
            ))
            .await?;
            migrate(db).await?;
            lock.commit().await?;
        }
        _ => {
            let _lock = lock_beside(db).await?;
            migrate(db).await?;
        }
    }
    Ok(())
}

/// Makes sure that the schema is exactly this program's, for roles that must not change it.
///
/// # Errors
/// [`MigrationError::Newer`] or [`MigrationError::Older`].
pub async fn verify(db: &DatabaseConnection) -> Result<(), MigrationError> {
    match Migrator::migrations().len().saturating_sub(applied(db).await?) {
        0 => Ok(()),
        missing => Err(MigrationError::Older(missing)),
    }
}

async fn migrate(db: &DatabaseConnection) -> Result<(), MigrationError> {
    applied(db).await?;
    Ok(Migrator::up(db, None).await?)
}

/// How many of this program's migrations the database has.
async fn applied(db: &DatabaseConnection) -> Result<usize, MigrationError> {
    // Only looking: roles that must not change the schema may lack the right to.
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(0);
    }
    let known: HashSet<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let applied = Migrator::get_migration_models(db).await?;
    match applied.iter().find(|migration| !known.contains(&migration.version)) {
        Some(newer) => Err(MigrationError::Newer(newer.version.clone())),
        None => Ok(applied.len()),
    }
}

/// An exclusive lock on `<file>.lock`, held until the handle is dropped; none for a database in memory.
async fn lock_beside(db: &DatabaseConnection) -> Result<Option<std::fs::File>, MigrationError> {
    let list = Statement::from_string(DbBackend::Sqlite, "PRAGMA database_list");
    let row = db.query_one_raw(list).await?;
    let path: String = row.map(|row| row.try_get("", "file")).transpose()?.unwrap_or_default();
    if path.is_empty() {
        return Ok(None);
    }
    let locked = tokio::task::spawn_blocking(move || {
        let file = std::fs::File::create(format!("{path}.lock"))?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    });
    Ok(Some(locked.await.map_err(std::io::Error::other)??))
}
