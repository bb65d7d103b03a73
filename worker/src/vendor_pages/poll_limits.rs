//! Limits how many pages are polled at once: in all, per host, per owner of hosts, and of pages that
//! were slow the last time.

use crate::host_limit::{HostLimit, HostPermit};
use crate::services::FollowedPage;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Maximum number of pages of one host that are polled at once.
const PER_HOST: usize = 4;
/// The same for all hosts below one registered domain: its owner can name any number of hosts.
const PER_OWNER: usize = 8;
/// One permit in so many is reserved for pages that answered fast last time, so that slow ones cannot
/// starve them.
const RESERVED_FRACTION: usize = 4;
/// Maximum duration of a fast response.
const FAST_RESPONSE: Duration = Duration::from_secs(2);
/// Minimum duration of a slow response.
const SLOW_RESPONSE: Duration = Duration::from_secs(5);

/// Hands out permits for polls.
#[derive(Debug)]
pub(crate) struct PollLimits {
    all: HostLimit,
    /// Pages that did not answer fast the last time.
    unproven: HostLimit,
    hosts: HostLimit,
    owners: HostLimit,
    paces: Mutex<HashMap<Uuid, Pace>>,
    /// The key of limits that do not depend on a host.
    any_host: Arc<str>,
}

/// Permission of a running poll.
#[derive(Debug)]
pub(crate) struct PollPermits {
    _permits: Vec<HostPermit>,
}

/// How fast a page answered lately.
#[derive(Debug, Default)]
struct Pace {
    is_fast: bool,
    /// Number of consecutive slow responses.
    slow: i32,
}

impl PollLimits {
    pub(crate) fn new(concurrency: usize) -> Self {
        Self {
            all: HostLimit::new(concurrency),
            unproven: HostLimit::new(concurrency - concurrency / RESERVED_FRACTION),
            hosts: HostLimit::new(PER_HOST),
            owners: HostLimit::new(PER_OWNER),
            paces: Mutex::default(),
            any_host: "".into(),
        }
    }

    /// Takes the permits for a poll of `page`.
    ///
    /// # Errors
    /// Returns after how long to try again if there are none.
    pub(crate) fn acquire(
        &self,
        page: &FollowedPage,
        now: Instant,
    ) -> Result<PollPermits, Duration> {
        let mut permits = vec![self.hosts.acquire(&page.host, now)?];
        for owner in &page.owners {
            permits.push(self.owners.acquire(owner, now)?);
        }
        let is_fast = self.lock().get(&page.id).is_some_and(|pace| pace.is_fast);
        if !is_fast {
            permits.push(self.unproven.acquire(&self.any_host, now)?);
        }
        permits.push(self.all.acquire(&self.any_host, now)?);
        Ok(PollPermits { _permits: permits })
    }

    /// Notes how long the page took to respond. Returns the number of consecutive slow responses.
    pub(crate) fn note_response(&self, page: Uuid, took: Duration, succeeded: bool) -> i32 {
        let mut paces = self.lock();
        let pace = paces.entry(page).or_default();
        pace.is_fast = succeeded && took < FAST_RESPONSE;
        pace.slow = if took > SLOW_RESPONSE {
            pace.slow.saturating_add(1)
        } else {
            0
        };
        pace.slow
    }

    /// Drops what is known of a page that nobody follows any more.
    pub(crate) fn forget(&self, page: Uuid) {
        self.lock().remove(&page);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Pace>> {
        self.paces
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}
