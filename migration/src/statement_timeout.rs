//! The end of SQLite statements that run for too long. PostgreSQL ends them by a setting of its own.

use sea_orm::sqlx::{Error, SqliteConnection};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// After how many instructions of SQLite's machine it is looked at the clock: some milliseconds.
const INSTRUCTIONS: i32 = 100_000;

/// How many migrations are under way in this process: those take as long as they take.
static MIGRATING: AtomicUsize = AtomicUsize::new(0);

/// Whatever is done with `connection` from now on is interrupted once `limit` is over, which is an error of the statement
/// that runs then. To be called each time that somebody takes the connection.
pub(crate) async fn end_after(
    connection: &mut SqliteConnection,
    limit: Duration,
) -> Result<(), Error> {
    let begun = Instant::now();
    let mut connection = connection.lock_handle().await?;
    connection.set_progress_handler(INSTRUCTIONS, move || {
        begun.elapsed() < limit || MIGRATING.load(Ordering::Relaxed) > 0
    });
    Ok(())
}

/// While this lives, nothing is interrupted.
pub(crate) struct Migrating(());

impl Migrating {
    pub(crate) fn begin() -> Self {
        MIGRATING.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Migrating {
    fn drop(&mut self) {
        MIGRATING.fetch_sub(1, Ordering::Relaxed);
    }
}
