//! Limits how many discoveries run at the same time, and how often a user may start one: a search
//! sends some sixty requests, to addresses that the user chooses.

use crate::rates::{Rate, RetryAfter};
use crate::use_cases::error::{Error, Result};
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// Maximum duration of a discovery: as long as a person waits.
pub(super) const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(11);

/// Maximum number of concurrent discoveries of all users.
const MAX_CONCURRENT: usize = 8;
/// Maximum number of concurrent discoveries of one user.
const MAX_CONCURRENT_PER_USER: usize = 2;
/// How long a discovery waits for those of other users.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of addresses that are read for one user in a minute.
const ADDRESSES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("60 is not 0");
/// What a search counts as, in addresses: it sends some sixty requests, mostly to one host.
pub(super) const SEARCH_COST: u32 = 6;

/// Limits discoveries. Clones share the limits.
#[derive(Clone)]
pub(super) struct DiscoveryLimiter {
    permits: Arc<Semaphore>,
    running: RunningPerUser,
    rate: Arc<Rate<Uuid>>,
}

impl fmt::Debug for DiscoveryLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscoveryLimiter")
            .field("free", &self.permits.available_permits())
            .finish_non_exhaustive()
    }
}

/// Number of running discoveries per user; users without any are absent.
type RunningPerUser = Arc<Mutex<HashMap<Uuid, usize>>>;

impl Default for DiscoveryLimiter {
    fn default() -> Self {
        let rate = Arc::new(Rate::new(ADDRESSES_PER_MINUTE, ADDRESSES_PER_MINUTE.get()));
        Self {
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT)),
            running: RunningPerUser::default(),
            rate,
        }
    }
}

/// The permit to run a discovery, until it is dropped.
#[derive(Debug)]
pub(super) struct DiscoveryPermit {
    _user_permit: UserPermit,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct UserPermit {
    user: Uuid,
    running: RunningPerUser,
}

impl DiscoveryLimiter {
    /// Waits for the permit for a discovery of `user` that counts as `cost` addresses.
    ///
    /// # Errors
    /// Returns [`Error::RateLimited`] if the user has too many running or started too many recently,
    /// [`Error::Upstream`] if no permit is released in time.
    pub(super) async fn acquire(&self, user: Uuid, cost: u32) -> Result<DiscoveryPermit> {
        let user_permit = self.acquire_for_user(user)?;
        self.rate
            .take(&user, cost.clamp(1, ADDRESSES_PER_MINUTE.get()))
            .map_err(|RetryAfter(seconds)| Error::RateLimited(seconds))?;
        let waiting =
            tokio::time::timeout(PERMIT_TIMEOUT, Arc::clone(&self.permits).acquire_owned());
        match waiting.await {
            Ok(Ok(permit)) => Ok(DiscoveryPermit {
                _user_permit: user_permit,
                _permit: permit,
            }),
            Ok(Err(_)) | Err(_) => Err(Error::Upstream(
                "too many vendor pages are being read at the moment: try again in a minute".into(),
            )),
        }
    }

    fn acquire_for_user(&self, user: Uuid) -> Result<UserPermit> {
        let mut running = lock(&self.running);
        let count = running.entry(user).or_default();
        if *count >= MAX_CONCURRENT_PER_USER {
            return Err(Error::RateLimited(DISCOVERY_TIMEOUT.as_secs()));
        }
        *count += 1;
        Ok(UserPermit {
            user,
            running: Arc::clone(&self.running),
        })
    }
}

impl Drop for UserPermit {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        if let Some(count) = running.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.user);
            }
        }
    }
}

/// A panic cannot leave the map inconsistent, so a poisoned lock is usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_user_runs_two_discoveries_and_all_users_eight() {
        let limiter = DiscoveryLimiter::default();
        let (ada, ben) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut held = vec![
            limiter.acquire(ada, 1).await.unwrap(),
            limiter.acquire(ada, 1).await.unwrap(),
        ];
        assert!(matches!(
            limiter.acquire(ada, 1).await,
            Err(Error::RateLimited(_))
        ));
        held.push(limiter.acquire(ben, 1).await.unwrap());
        held.remove(0);
        held.push(
            limiter
                .acquire(ada, 1)
                .await
                .expect("the permit that was released"),
        );
        for user in 3..8 {
            held.push(limiter.acquire(Uuid::from_u128(user), 1).await.unwrap());
        }
        assert_eq!(held.len(), 8);
        assert!(matches!(
            limiter.acquire(Uuid::from_u128(9), 1).await,
            Err(Error::Upstream(_))
        ));
        // A discovery that timed out waiting holds no permit.
        held.clear();
        assert!(lock(&limiter.running).is_empty());
        assert!(limiter.acquire(Uuid::from_u128(9), 1).await.is_ok());
    }

    #[tokio::test]
    async fn a_user_searches_ten_times_a_minute_or_has_sixty_addresses_read() {
        let (limiter, ada, ben) = (
            DiscoveryLimiter::default(),
            Uuid::from_u128(1),
            Uuid::from_u128(2),
        );
        for _ in 0..9 {
            assert!(limiter.acquire(ada, SEARCH_COST).await.is_ok());
        }
        for _ in 0..6 {
            assert!(limiter.acquire(ada, 1).await.is_ok());
        }
        assert!(matches!(
            limiter.acquire(ada, 1).await,
            Err(Error::RateLimited(1..=60))
        ));
        assert!(limiter.acquire(ben, SEARCH_COST).await.is_ok());
        assert!(lock(&limiter.running).is_empty());
    }
}
