//! How many may have vendors asked at the same time: of one search some sixty requests are under way.

use super::WHOLE;
use crate::ops::{Error, Result};
use std::collections::HashMap;
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

/// The places. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    taken: Taken,
}

/// How many places each user has; nobody has none.
type Taken = Arc<Mutex<HashMap<Uuid, usize>>>;

impl Default for Places {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(ALL)), taken: Taken::default() }
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
    /// A place for one search of `user`. A limit on how many searches a user may begin in a time belongs here as well.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when they have as many under way as they may, [`Error::Upstream`] when all others do not end.
    pub(super) async fn take(&self, user: Uuid) -> Result<Place> {
        let of_user = self.take_of(user)?;
        let waiting = tokio::time::timeout(PATIENCE, Arc::clone(&self.all).acquire_owned());
        match waiting.await {
            Ok(Ok(of_all)) => Ok(Place { _of_user: of_user, _of_all: of_all }),
            Ok(Err(_)) | Err(_) => {
                Err(Error::Upstream("too many status pages are being looked for at the moment: try again soon".into()))
            }
        }
    }

    fn take_of(&self, user: Uuid) -> Result<OfUser> {
        let mut taken = lock(&self.taken);
        let count = taken.entry(user).or_default();
        if *count >= OF_ONE {
            return Err(Error::RateLimited(WHOLE.as_secs()));
        }
        *count += 1;
        Ok(OfUser { user, taken: Arc::clone(&self.taken) })
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
        let mut held = vec![places.take(ada).await.unwrap(), places.take(ada).await.unwrap()];
        assert!(matches!(places.take(ada).await, Err(Error::RateLimited(_))));
        held.push(places.take(ben).await.unwrap());
        held.remove(0);
        held.push(places.take(ada).await.expect("the place that was given back"));
        for user in 3..8 {
            held.push(places.take(Uuid::from_u128(user)).await.unwrap());
        }
        assert_eq!(held.len(), 8);
        assert!(matches!(places.take(Uuid::from_u128(9)).await, Err(Error::Upstream(_))));
        // Who waited in vain has no place left over.
        held.clear();
        assert!(lock(&places.taken).is_empty());
        assert!(places.take(Uuid::from_u128(9)).await.is_ok());
    }
}
