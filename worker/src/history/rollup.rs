//! Folds new checks into hourly and daily rollups. The last folded check of each service is stored in
//! `rollup_progress` by the same transaction, so that a pass may be interrupted or repeated. The
//! arithmetic is `domain::rollup`; readers add the checks after the stored one.
//!
//! Relies on the recorder: the slots of a service only grow.

mod folded;
mod read;
mod write;

use sea_orm::{DatabaseConnection, DbErr};

/// Limits of what is held in memory and in one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Services in one transaction.
    pub services: u64,
    /// Checks of each service.
    pub checks: u64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            services: 100,
            checks: 500,
        }
    }
}

/// Folds every check that is not in the rollups yet, portion by portion. Returns how many there were.
pub(crate) async fn fold_new_checks(
    db: &DatabaseConnection,
    portion: BatchLimits,
) -> Result<u64, DbErr> {
    let mut checks = 0;
    let mut after = 0;
    loop {
        let seqs = read::service_seqs(db, after, portion.services).await?;
        let Some(last) = seqs.last().copied() else {
            return Ok(checks);
        };
        checks += fold_services(db, seqs, portion.checks).await?;
        after = last;
    }
}

/// Folds until these services have nothing new: after a long stop it takes several rounds.
async fn fold_services(
    db: &DatabaseConnection,
    mut seqs: Vec<i32>,
    limit: u64,
) -> Result<u64, DbErr> {
    let mut checks = 0;
    while !seqs.is_empty() {
        let folded = read::fold(db, &seqs, limit).await?;
        let written = write::write(db, &folded).await?;
        checks += written;
        if written == 0 {
            break;
        }
        seqs = folded
            .iter()
            .filter(|service| service.checks >= limit)
            .map(|service| service.service_seq)
            .collect();
        // Recording and reading come first.
        tokio::task::yield_now().await;
    }
    Ok(checks)
}

#[cfg(test)]
mod tests;
