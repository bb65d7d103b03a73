//! How many may have vendors asked at the same time, and how often: of one search some sixty requests are under way, and
//! who adds a service has addresses of their choice read, whatever the field of the API is called.

use super::WHOLE;
use crate::rates::{Rate, RetryAfter};
use crate::use_cases::{Error, Result};
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// The searches of all users together.
const ALL: usize = 8;
/// Those of one user.
const OF_ONE: usize = 2;
/// The longest that a search waits for those of others.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much one user may have vendors asked in a minute: so many addresses of their own choice.
const EACH_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("60 is not 0");
/// What a search counts as, which asks some sixty addresses, mostly of one host.
pub(super) const SEARCH: u32 = 6;

/// The places. Clones share them.
#[derive(Clone)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    taken: Taken,
    begun: Arc<Rate<Uuid>>,
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("free", &self.all.available_permits())
            .finish_non_exhaustive()
    }
}

/// How many places each user has; nobody has none.
type Taken = Arc<Mutex<HashMap<Uuid, usize>>>;

impl Default for Places {
    fn default() -> Self {
        let begun = Arc::new(Rate::new(EACH_MINUTE, EACH_MINUTE.get()));
        Self {
            all: Arc::new(Semaphore::new(ALL)),
            taken: Taken::default(),
            begun,
        }
    }
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _of_user: OfUser,
    _of_all: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct OfUser {
    user: Uuid,
    taken: Taken,
}

impl Places {
    /// A place for one look of `user`, which counts as `weight`.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when they have as many under way as they may, or have begun too many lately;
    /// [`Error::Upstream`] when all others do not end.
    pub(super) async fn take(&self, user: Uuid, weight: u32) -> Result<Place> {
        let of_user = self.take_of(user)?;
        self.begun
            .take(&user, weight.clamp(1, EACH_MINUTE.get()))
            .map_err(|RetryAfter(seconds)| Error::RateLimited(seconds))?;
        let waiting = tokio::time::timeout(PATIENCE, Arc::clone(&self.all).acquire_owned());
        match waiting.await {
            Ok(Ok(of_all)) => Ok(Place {
                _of_user: of_user,
                _of_all: of_all,
            }),
            Ok(Err(_)) | Err(_) => Err(Error::Upstream(
                "too many vendor pages are being looked for at the moment: try again soon".into(),
            )),
        }
    }

    fn take_of(&self, user: Uuid) -> Result<OfUser> {
        let mut taken = lock(&self.taken);
        let count = taken.entry(user).or_default();
        if *count >= OF_ONE {
            return Err(Error::RateLimited(WHOLE.as_secs()));
        }
        *count += 1;
        Ok(OfUser {
            user,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl Drop for OfUser {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

/// What the lock guards is whole between any two statements, whoever panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_user_has_two_places_and_all_together_eight() {
        let places = Places::default();
        let (ada, ben) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut held = vec![
            places.take(ada, 1).await.unwrap(),
            places.take(ada, 1).await.unwrap(),
        ];
        assert!(matches!(
            places.take(ada, 1).await,
            Err(Error::RateLimited(_))
        ));
        held.push(places.take(ben, 1).await.unwrap());
        held.remove(0);
        held.push(
            places
                .take(ada, 1)
                .await
                .expect("the place that was given back"),
        );
        for user in 3..8 {
            held.push(places.take(Uuid::from_u128(user), 1).await.unwrap());
        }
        assert_eq!(held.len(), 8);
        assert!(matches!(
            places.take(Uuid::from_u128(9), 1).await,
            Err(Error::Upstream(_))
        ));
        // Who waited in vain has no place left over.
        held.clear();
        assert!(lock(&places.taken).is_empty());
        assert!(places.take(Uuid::from_u128(9), 1).await.is_ok());
    }

    #[tokio::test]
    async fn a_user_searches_ten_times_a_minute_or_has_sixty_addresses_read() {
        let (places, ada, ben) = (Places::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        for _ in 0..9 {
            assert!(places.take(ada, SEARCH).await.is_ok());
        }
        for _ in 0..6 {
            assert!(places.take(ada, 1).await.is_ok());
        }
        assert!(matches!(
            places.take(ada, 1).await,
            Err(Error::RateLimited(1..=60))
        ));
        assert!(places.take(ben, SEARCH).await.is_ok());
        assert!(lock(&places.taken).is_empty());
    }
}
