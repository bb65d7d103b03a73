//! Checks into rollups: what is new since the last pass is folded into hours and days, and the last check that was taken
//! is noted in `rollup_progress` by the same transaction. So a pass that is cut off, repeated or late changes nothing but
//! when it is done. The arithmetic is `domain::rollup`; who reads the rollups adds the checks after the noted one.
//!
//! Leans on the recorder's promise that a service's slots only grow.

mod read;
mod write;

use domain::rollup::Fold;
use entity::rollup_progress;
use sea_orm::{DatabaseConnection, DbErr};

/// How much is held in memory and in one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Services in one transaction.
    pub services: u64,
    /// Checks of each of them.
    pub checks: u64,
}

impl Default for Portion {
    fn default() -> Self {
        Self {
            services: 100,
            checks: 500,
        }
    }
}

/// One service's new checks.
#[derive(Debug)]
struct Folded {
    service_seq: i32,
    /// The progress that the fold went on from.
    before: Option<rollup_progress::Model>,
    fold: Fold,
    checks: u64,
}

/// Folds every check that is not in the rollups yet, portion by portion. Returns how many there were.
///
/// # Errors
/// What the database said; portions that were written before stay.
pub(crate) async fn fold_new_checks(
    db: &DatabaseConnection,
    portion: Portion,
) -> Result<u64, DbErr> {
    let mut checks = 0;
    let mut after = 0;
    loop {
        let numbers = read::services(db, after, portion.services).await?;
        let Some(last) = numbers.last().copied() else {
            return Ok(checks);
        };
        checks += fold_services(db, numbers, portion.checks).await?;
        after = last;
    }
}

/// Folds until these services have nothing new: after a long stop that takes several rounds.
async fn fold_services(
    db: &DatabaseConnection,
    mut numbers: Vec<i32>,
    limit: u64,
) -> Result<u64, DbErr> {
    let mut checks = 0;
    while !numbers.is_empty() {
        let folded = read::fold(db, &numbers, limit).await?;
        let written = write::write(db, &folded).await?;
        checks += written;
        if written == 0 {
            break;
        }
        numbers = folded
            .iter()
            .filter(|service| service.checks >= limit)
            .map(|service| service.service_seq)
            .collect();
        // Whoever records or reads at the same time comes first.
        tokio::task::yield_now().await;
    }
    Ok(checks)
}

#[cfg(test)]
mod tests;
