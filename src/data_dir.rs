//! The data directory of a one-process PulseCheck: its database, its secret key, and the lock that keeps it one.

use anyhow::{Context as _, bail};
use rand::RngCore as _;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The database's file in it.
const DATABASE: &str = "pulsecheck.sqlite";

/// An existing, writable data directory that no other PulseCheck uses.
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens `path`, or makes it, and locks it for as long as the value lives.
    ///
    /// # Errors
    /// When it cannot be made or written, or another process holds it.
    pub(crate) fn open(path: PathBuf) -> anyhow::Result<Self> {
        let advice = || {
            format!(
                "cannot use the data directory {}: make it writable, or set PULSECHECK_DATA_DIR",
                path.display()
            )
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(advice)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .with_context(advice)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another PulseCheck is running on the data directory {}: stop it, or set PULSECHECK_DATA_DIR to another one",
                path.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(advice),
        }
    }

    /// Where the data directory is when nothing was set: the user's own data directory.
    ///
    /// # Errors
    /// When the environment names no home.
    pub(crate) fn default_path() -> anyhow::Result<PathBuf> {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        let home =
            home.context("there is no home directory to keep data in: set PULSECHECK_DATA_DIR")?;
        Ok(home.join(".local/share/pulsecheck"))
    }

    /// The address of the database in a directory that another process may be using.
    ///
    /// # Errors
    /// When there is none yet.
    pub(crate) fn existing_database_url(path: &Path) -> anyhow::Result<String> {
        let file = path.join(DATABASE);
        if !file.exists() {
            bail!(
                "there is no database at {}: start `pulsecheck` once, or set PULSECHECK_DATA_DIR",
                file.display()
            );
        }
        Ok(sqlite_url(&file))
    }

    /// The SQLite file of the data directory `path`, whether it exists or not.
    pub(crate) fn database_file(path: &Path) -> PathBuf {
        path.join(DATABASE)
    }

    /// The address of the SQLite database in it.
    pub(crate) fn database_url(&self) -> String {
        sqlite_url(&self.path.join(DATABASE))
    }

    /// The secret key that lives in it, made at the first call.
    ///
    /// # Errors
    /// When it can be neither read nor written.
    pub(crate) fn secret_key(&self) -> anyhow::Result<String> {
        let path = self.path.join("secret.key");
        let failed = || format!("cannot keep the secret key in {}", path.display());
        let mut key = String::new();
        match OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)
        {
            Ok(mut file) => {
                let mut bytes = [0; 32];
                rand::rng().fill_bytes(&mut bytes);
                key = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                file.write_all(key.as_bytes())
                    .and_then(|()| file.sync_all())
                    .with_context(failed)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                File::open(&path)
                    .and_then(|mut file| file.read_to_string(&mut key))
                    .with_context(failed)?;
            }
            Err(error) => return Err(error).with_context(failed),
        }
        if key.trim().len() < 32 {
            bail!(
                "the secret key in {} is too short: delete the file, and everybody signs in anew",
                path.display()
            );
        }
        Ok(key.trim().to_owned())
    }
}

/// `path` as an address for the database driver, which reads `?` and `%` in it.
pub(crate) fn sqlite_url(path: &Path) -> String {
    let path = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23");
    format!("sqlite://{path}?mode=rwc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_in_use_is_refused_and_free_again_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path().join("a/b")).unwrap();
        let key = first.secret_key().unwrap();
        let error = DataDir::open(dir.path().join("a/b"))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("another PulseCheck is running on the data directory"),
            "{error}"
        );
        drop(first);
        assert_eq!(
            DataDir::open(dir.path().join("a/b"))
                .unwrap()
                .secret_key()
                .unwrap(),
            key
        );
    }

    #[test]
    fn a_place_that_is_no_directory_is_refused_with_the_remedy() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = DataDir::open(file.path().join("x"))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("set PULSECHECK_DATA_DIR"), "{error}");
    }
}
