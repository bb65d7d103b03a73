//! The data directory of a single-process PulseCheck: database, secret key and lock file.

use anyhow::{Context as _, bail};
use rand::RngCore as _;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// File name of the database.
const DATABASE: &str = "pulsecheck.sqlite";

/// File name of the secret key.
const SECRET_KEY: &str = "secret.key";

/// Files that nobody else may read: the database with what SQLite keeps beside it, and the key.
const PRIVATE_FILES: [&str; 4] = [
    DATABASE,
    "pulsecheck.sqlite-wal",
    "pulsecheck.sqlite-shm",
    SECRET_KEY,
];

/// A writable data directory, locked for this process.
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens or creates the directory `path` and locks it until the value is dropped.
    ///
    /// # Errors
    /// Fails if it cannot be created or written, or another process has locked it.
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
            Ok(()) => {
                for name in PRIVATE_FILES {
                    make_private(&path.join(name)).with_context(advice)?;
                }
                Ok(Self { path, _lock: lock })
            }
            Err(TryLockError::WouldBlock) => bail!(
                "another PulseCheck is running on the data directory {}: stop it, or set PULSECHECK_DATA_DIR to another one",
                path.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(advice),
        }
    }

    /// Returns the default data directory, `~/.local/share/pulsecheck`.
    ///
    /// # Errors
    /// Fails if there is no home directory.
    pub(crate) fn default_path() -> anyhow::Result<PathBuf> {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        let home =
            home.context("there is no home directory to keep data in: set PULSECHECK_DATA_DIR")?;
        Ok(home.join(".local/share/pulsecheck"))
    }

    /// Returns the URL of an existing database without locking its directory.
    ///
    /// # Errors
    /// Fails if there is no database yet.
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

    /// Returns the path of the SQLite file in the data directory `path`. It need not exist.
    pub(crate) fn database_file(path: &Path) -> PathBuf {
        path.join(DATABASE)
    }

    /// Returns the URL of the SQLite database.
    pub(crate) fn database_url(&self) -> String {
        sqlite_url(&self.path.join(DATABASE))
    }

    /// Reads the secret key. Generates it if there is none.
    ///
    /// # Errors
    /// Fails if the key can be neither read nor written.
    pub(crate) fn secret_key(&self) -> anyhow::Result<String> {
        let path = self.path.join(SECRET_KEY);
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

/// Takes an existing file away from everybody else on this machine, and says so.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mode = match std::fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let (file, mode) = (path.display(), format!("{mode:o}"));
    match std::fs::set_permissions(path, Permissions::from_mode(0o600)) {
        Ok(()) => tracing::warn!(
            %file, mode,
            "others on this machine could read a private file: it is readable by its owner only now"
        ),
        // Somebody else owns it, as in some containers.
        Err(error) => tracing::warn!(
            %file, mode, %error,
            "others on this machine can read a private file: its owner should run `chmod 600` on it"
        ),
    }
    Ok(())
}

/// Returns `path` as a SQLite URL, with `?` and `%` escaped.
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
    fn files_that_others_could_read_are_private_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |name: &str| {
            let metadata = std::fs::metadata(dir.path().join(name)).unwrap();
            metadata.permissions().mode() & 0o777
        };
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        for name in PRIVATE_FILES {
            std::fs::write(dir.path().join(name), "0123456789abcdef0123456789abcdef").unwrap();
            let permissions = Permissions::from_mode(0o644);
            std::fs::set_permissions(dir.path().join(name), permissions).unwrap();
        }
        drop(DataDir::open(dir.path().into()).unwrap());
        for name in PRIVATE_FILES {
            assert_eq!(mode(name), 0o600, "{name}");
        }
    }

    #[tokio::test]
    async fn a_new_database_is_private_in_a_directory_that_was_there_before() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let data_dir = DataDir::open(dir.path().into()).unwrap();
        let pool = migration::Pool::default();
        let db = migration::connect(&data_dir.database_url(), &pool)
            .await
            .unwrap();
        migration::run(&db).await.unwrap();
        data_dir.secret_key().unwrap();
        for name in PRIVATE_FILES {
            let mode = std::fs::metadata(dir.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
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
