//! Statement timeout for SQLite. PostgreSQL has a setting for it.

use sea_orm::sqlx::{Error, SqliteConnection};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Number of SQLite VM instructions between two looks at the clock: a few milliseconds.
const INSTRUCTIONS_PER_CLOCK_CHECK: i32 = 100_000;

/// Number of running migrations in this process. While there are any, no timeout applies.
static MIGRATING: AtomicUsize = AtomicUsize::new(0);

/// Interrupts statements on `connection` once `limit` has passed from now on. Call it each time the
/// connection is taken from the pool.
pub(crate) async fn set_statement_timeout(
    connection: &mut SqliteConnection,
    limit: Duration,
) -> Result<(), Error> {
    let begun = Instant::now();
    let mut connection = connection.lock_handle().await?;
    connection.set_progress_handler(INSTRUCTIONS_PER_CLOCK_CHECK, move || {
        begun.elapsed() < limit || MIGRATING.load(Ordering::Relaxed) > 0
    });
    Ok(())
}

/// Disables statement timeouts until it is dropped.
pub(crate) struct TimeoutsDisabled(());

impl TimeoutsDisabled {
    pub(crate) fn begin() -> Self {
        MIGRATING.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for TimeoutsDisabled {
    fn drop(&mut self) {
        MIGRATING.fetch_sub(1, Ordering::Relaxed);
    }
}
