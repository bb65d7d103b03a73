//! `pulsecheck backup` and `pulsecheck restore`: copies of a SQLite database, taken while the program runs and put back
//! while it does not. PostgreSQL has tools of its own for this. Knows nothing of what the tables mean.

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

/// How long another process may keep the database from being read.
const PATIENCE: Duration = Duration::from_secs(30);

/// Copies the database to `to`, a file that must not exist yet, or standard output for `-`. The program may go on
/// working meanwhile: the copy is the database at one moment.
///
/// # Errors
/// When there is no such database, `to` exists or cannot be written, or the copy is damaged.
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
    // Beside where it will be, so that it can be moved there in one step; of standard output's, beside the database.
    let place = if to_stdout {
        directory(&from)
    } else {
        directory(to)
    };
    let copy = NamedTempFile::with_prefix_in("pulsecheck-backup-", place)
        .with_context(|| format!("cannot write into {}", place.display()))?;
    let source = open_live(&from).with_context(|| format!("cannot read {}", from.display()))?;
    copy_database(&source, copy.path())?;
    check(copy.path())?;
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

/// Puts the copy `from` in the place of the database, which is kept beside it under another name.
///
/// # Errors
/// When a program is running on the database, or `from` is no undamaged database of this version or an earlier one.
pub(crate) async fn restore(settings: &Settings, from: &Path) -> anyhow::Result<()> {
    ensure!(from.is_file(), "there is no backup at {}", from.display());
    let _directory = match settings.database_url {
        None => Some(crate::roles::open_data_dir(settings)?),
        Some(_) => None,
    };
    let to = database_file(settings)?;
    let lock = lock(&to)?;
    let place = directory(&to);
    let copy = NamedTempFile::with_prefix_in("pulsecheck-restore-", place)
        .with_context(|| format!("cannot write into {}", place.display()))?;
    let unreadable = || format!("{} cannot be read as a backup", from.display());
    let source = open_copy(from).with_context(unreadable)?;
    copy_database(&source, copy.path()).with_context(unreadable)?;
    check(copy.path())?;
    check_schema(copy.path()).await?;
    // The check of the schema opened it as the program does, which leaves files beside it.
    for suffix in ["-wal", "-shm"] {
        remove(&beside(copy.path(), suffix))?;
    }
    copy.as_file().sync_all()?;
    let kept = keep_old(&to)?;
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

/// The SQLite file that the settings lead to.
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

/// All pages in one step, under one read lock: a copy taken page by page would begin anew at each check that is
/// recorded. With the write-ahead log nobody who writes has to wait for it.
fn copy_database(source: &Connection, to: &Path) -> anyhow::Result<()> {
    let mut target = Connection::open(to)?;
    let backup = Backup::new(source, &mut target)?;
    let begun = Instant::now();
    loop {
        match backup.step(-1)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ if begun.elapsed() > PATIENCE => {
                bail!("the database was busy for {} s", PATIENCE.as_secs())
            }
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    drop(backup);
    // One file that needs none beside it, so that it can be read from where nothing can be written.
    target.query_row("PRAGMA journal_mode = delete", [], |_| Ok(()))?;
    Ok(())
}

/// The database of a program that may be running.
fn open_live(path: &Path) -> rusqlite::Result<Connection> {
    readable(Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?)
}

/// A copy that nobody works with, perhaps where nothing can be written: then what SQLite would put beside it is left out.
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
        readable(Connection::open_with_flags(
            format!("file:{path}?immutable=1"),
            flags,
        )?)
    })
}

fn readable(db: Connection) -> rusqlite::Result<Connection> {
    db.busy_timeout(PATIENCE)?;
    db.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    Ok(db)
}

/// Whether a copy is whole, and PulseCheck's.
fn check(copy: &Path) -> anyhow::Result<()> {
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
        "this is a SQLite database, but not one of PulseCheck"
    );
    Ok(())
}

/// An older schema is brought up to date at the next start; a newer one would be refused there, so it is refused here.
async fn check_schema(copy: &Path) -> anyhow::Result<()> {
    let db = migration::connect(&crate::data_dir::sqlite_url(copy), &Pool::default()).await?;
    let verified = migration::verify(&db).await;
    db.close().await?;
    match verified {
        Ok(()) | Err(MigrationError::Older(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The lock that a running program holds on the file.
fn lock(database: &Path) -> anyhow::Result<File> {
    let path = beside(database, ".in-use");
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

/// Moves the database aside together with its log, which belongs to it. `None` when there is none.
fn keep_old(database: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !database.exists() {
        return Ok(None);
    }
    let old = beside(
        database,
        &format!(
            ".before-restore-{}",
            chrono::Utc::now().format("%Y%m%dT%H%M%S%3fZ")
        ),
    );
    for suffix in ["-wal", "-shm", ""] {
        let (file, kept) = (beside(database, suffix), beside(&old, suffix));
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

fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn directory(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A name is on the disk only once its directory is.
fn sync_directory(directory: &Path) -> anyhow::Result<()> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .context("cannot write to the disk")
}
