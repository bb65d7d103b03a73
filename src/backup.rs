//! `pulsecheck backup` and `pulsecheck restore`: online backup and offline restore of SQLite.
//! PostgreSQL is backed up with its own tools. Does not depend on the contents of the tables.

use crate::data_dir::DataDir;
use crate::settings::Settings;
use anyhow::{Context as _, bail, ensure};
use migration::{MigrationError, Pool};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// Longest wait for a database that another process has locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Writes a consistent copy of the database to the new file `to`, or to standard output for `-`.
/// PulseCheck may keep running meanwhile.
///
/// # Errors
/// Fails if there is no database, `to` exists or cannot be written, or the copy is damaged.
pub(crate) fn save(settings: &Settings, to: &Path) -> anyhow::Result<()> {
    let from = database_file(settings)?;
    ensure!(
        from.exists(),
        "there is no database at {}: set PULSECHECK_DATA_DIR or DATABASE_URL",
        from.display()
    );
    let to_stdout = to == Path::new("-");
    ensure!(
        to_stdout || !to.exists(),
        "{} exists already: choose another name",
        to.display()
    );
    // The temporary file is in the target's directory, so that it can be renamed atomically.
    // For standard output it is in the directory of the database.
    let place = if to_stdout {
        parent_dir(&from)
    } else {
        parent_dir(to)
    };
    let copy = NamedTempFile::with_prefix_in("pulsecheck-backup-", place)
        .with_context(|| format!("cannot write into {}", place.display()))?;
    let source = open_live(&from).with_context(|| format!("cannot read {}", from.display()))?;
    copy_database(&source, copy.path())?;
    check_integrity(copy.path())?;
    let bytes = copy.as_file().metadata()?.len();
    if to_stdout {
        let mut stdout = std::io::stdout().lock();
        std::io::copy(&mut File::open(copy.path())?, &mut stdout).and_then(|_| stdout.flush())?;
    } else {
        copy.as_file().sync_all()?;
        copy.persist_noclobber(to)
            .with_context(|| format!("cannot write {}", to.display()))?;
        sync_directory(place)?;
    }
    tracing::info!(database = %from.display(), bytes, "the database was copied");
    Ok(())
}

/// Replaces the database by the backup `from`. Keeps the old database under another name.
///
/// # Errors
/// Fails if PulseCheck is running on the database, or if `from` is damaged, is not a PulseCheck
/// database or comes from a newer version.
pub(crate) async fn restore(settings: &Settings, from: &Path) -> anyhow::Result<()> {
    ensure!(from.is_file(), "there is no backup at {}", from.display());
    let _directory = match settings.database_url {
        None => Some(crate::roles::open_data_dir(settings)?),
        Some(_) => None,
    };
    let to = database_file(settings)?;
    let lock = lock_database(&to)?;
    let place = parent_dir(&to);
    let copy = NamedTempFile::with_prefix_in("pulsecheck-restore-", place)
        .with_context(|| format!("cannot write into {}", place.display()))?;
    let unreadable = || format!("{} cannot be read as a backup", from.display());
    let source = open_copy(from).with_context(unreadable)?;
    copy_database(&source, copy.path()).with_context(unreadable)?;
    check_integrity(copy.path())?;
    check_schema(copy.path()).await?;
    // Verifying the schema opened the copy in WAL mode, which leaves two more files.
    for suffix in ["-wal", "-shm"] {
        remove_if_exists(&with_suffix(copy.path(), suffix))?;
    }
    copy.as_file().sync_all()?;
    let kept = move_old_aside(&to)?;
    copy.persist_noclobber(&to)
        .with_context(|| format!("cannot write {}", to.display()))?;
    sync_directory(place)?;
    drop(lock);
    match kept {
        Some(old) => {
            tracing::info!(database = %to.display(), before = %old.display(), "the backup was put in place");
        }
        None => tracing::info!(database = %to.display(), "the backup was put in place"),
    }
    Ok(())
}

/// Returns the path of the configured SQLite file.
fn database_file(settings: &Settings) -> anyhow::Result<PathBuf> {
    let Some(url) = &settings.database_url else {
        let directory = settings
            .data_dir
            .clone()
            .map_or_else(DataDir::default_path, Ok)?;
        return Ok(DataDir::database_file(&directory));
    };
    let url = url.expose();
    if !url.starts_with("sqlite:") {
        bail!(
            "DATABASE_URL is {}: PostgreSQL is backed up with pg_dump and restored with pg_restore, see docs/operations.md",
            migration::redacted(url)
        );
    }
    let options: SqliteConnectOptions = url
        .parse()
        .with_context(|| format!("DATABASE_URL is {}", migration::redacted(url)))?;
    Ok(options.get_filename().to_owned())
}

/// Copies all pages in one step, under one read lock.
///
/// A copy in several steps would restart whenever a check is recorded. In WAL mode the read lock
/// does not block writers.
fn copy_database(source: &Connection, to: &Path) -> anyhow::Result<()> {
    let mut target = Connection::open(to)?;
    let backup = Backup::new(source, &mut target)?;
    let begun = Instant::now();
    loop {
        match backup.step(-1)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ if begun.elapsed() > BUSY_TIMEOUT => {
                bail!("the database was busy for {} s", BUSY_TIMEOUT.as_secs())
            }
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    drop(backup);
    // Without WAL the copy is a single file, which can be read from a read-only directory.
    target.query_row("PRAGMA journal_mode = delete", [], |_| Ok(()))?;
    Ok(())
}

/// Opens a database that a running PulseCheck may be using.
fn open_live(path: &Path) -> rusqlite::Result<Connection> {
    verify_readable(Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?)
}

/// Opens a backup. Falls back to `immutable=1`, because a read-only directory has no room for
/// SQLite's WAL files.
fn open_copy(path: &Path) -> rusqlite::Result<Connection> {
    open_live(path).or_else(|_| {
        let path = path
            .to_string_lossy()
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        verify_readable(Connection::open_with_flags(
            format!("file:{path}?immutable=1"),
            flags,
        )?)
    })
}

fn verify_readable(db: Connection) -> rusqlite::Result<Connection> {
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    Ok(db)
}

/// Fails if the copy is damaged or is not a PulseCheck database.
fn check_integrity(copy: &Path) -> anyhow::Result<()> {
    let db = Connection::open(copy)?;
    let found: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    ensure!(found == "ok", "the copy is damaged: {found}");
    let tables: i64 = db.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('seaql_migrations', 'services')",
        [],
        |row| row.get(0),
    )?;
    ensure!(
        tables == 2,
        "the file is a SQLite database, but not a PulseCheck database"
    );
    Ok(())
}

/// Fails if the schema is newer than this version. An older one is migrated at the next start.
async fn check_schema(copy: &Path) -> anyhow::Result<()> {
    let db = migration::connect(&crate::data_dir::sqlite_url(copy), &Pool::default()).await?;
    let verified = migration::verify(&db).await;
    db.close().await?;
    match verified {
        Ok(()) | Err(MigrationError::Older(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Takes the lock that a running PulseCheck holds on the database.
fn lock_database(database: &Path) -> anyhow::Result<File> {
    let path = with_suffix(database, ".in-use");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "PulseCheck is running on the database {}: stop it before you restore",
                database.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Renames the old database and its WAL files. Returns `None` if there is no database.
fn move_old_aside(database: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !database.exists() {
        return Ok(None);
    }
    let old = with_suffix(
        database,
        &format!(
            ".before-restore-{}",
            chrono::Utc::now().format("%Y%m%dT%H%M%S%3fZ")
        ),
    );
    for suffix in ["-wal", "-shm", ""] {
        let (file, kept) = (with_suffix(database, suffix), with_suffix(&old, suffix));
        match std::fs::rename(&file, &kept) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| {
                    format!("cannot move {} to {}", file.display(), kept.display())
                });
            }
            _ => {}
        }
    }
    Ok(Some(old))
}

fn remove_if_exists(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn parent_dir(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Syncs the directory, so that a renamed file survives a power failure.
fn sync_directory(directory: &Path) -> anyhow::Result<()> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .context("cannot write to the disk")
}
