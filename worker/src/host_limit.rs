//! Limits the checks that run against one host at once, so that a slow host delays nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Minimum and maximum delay of a deferred check.
const DEFER_RANGE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(20)..=Duration::from_secs(30);

/// Counts the running checks of each host. Clones share the counts.
#[derive(Debug, Clone)]
pub(crate) struct HostLimit {
    limit: usize,
    hosts: Arc<Mutex<HashMap<Arc<str>, Host>>>,
}

#[derive(Debug)]
struct Host {
    running: usize,
    /// Moving average of how long its checks take.
    average: Duration,
    /// When the last of the deferred checks can expect a permit.
    queue_until: Instant,
}

/// Permission of one running check; dropping it frees the slot.
#[derive(Debug)]
pub(crate) struct HostPermit {
    hosts: HostLimit,
    host: Arc<str>,
    since: Instant,
}

impl HostLimit {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            hosts: Arc::default(),
        }
    }

    /// Takes a permit for a check of `host`.
    ///
    /// # Errors
    /// Returns after how long to try again if the host has no free slot. Checks are queued at the
    /// rate at which the host's slots become free, so that a long queue does not keep trying.
    pub(crate) fn acquire(&self, host: &Arc<str>, now: Instant) -> Result<HostPermit, Duration> {
        let mut hosts = self.lock();
        let state = hosts.entry(Arc::clone(host)).or_insert(Host {
            running: 0,
            average: Duration::from_millis(100),
            queue_until: now,
        });
        if state.running < self.limit {
            state.running += 1;
            return Ok(HostPermit {
                hosts: self.clone(),
                host: Arc::clone(host),
                since: now,
            });
        }
        let step = state.average / u32::try_from(self.limit).unwrap_or(u32::MAX);
        state.queue_until = (state.queue_until + step)
            .max(now)
            .min(now + *DEFER_RANGE.end());
        Err((state.queue_until - now).max(*DEFER_RANGE.start()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Host>> {
        self.hosts
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

impl Drop for HostPermit {
    fn drop(&mut self) {
        let mut hosts = self.hosts.lock();
        let Some(state) = hosts.get_mut(&self.host) else {
            return;
        };
        state.running -= 1;
        state.average = (state.average * 7 + self.since.elapsed()) / 8;
        // An idle host that nobody waits for needs no entry.
        if state.running == 0 && state.queue_until <= Instant::now() {
            hosts.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_its_own_permits_and_gets_them_back() {
        let limit = HostLimit::new(2);
        let (slow, other): (Arc<str>, Arc<str>) = ("slow".into(), "other".into());
        let now = Instant::now();
        let first = limit.acquire(&slow, now).unwrap();
        let _second = limit.acquire(&slow, now).unwrap();
        assert!(limit.acquire(&slow, now).is_err());
        let other = limit.acquire(&other, now).unwrap();
        drop(first);
        assert!(limit.acquire(&slow, now).is_ok());
        drop(other);
        assert_eq!(limit.lock().len(), 1, "a host that is idle is forgotten");
    }

    #[test]
    fn a_long_queue_is_spread_over_the_time_that_it_takes() {
        let limit = HostLimit::new(1);
        let host: Arc<str> = "slow".into();
        let now = Instant::now();
        let _running = limit.acquire(&host, now).unwrap();
        let waits: Vec<_> = (0..1000)
            .map(|_| limit.acquire(&host, now).unwrap_err())
            .collect();
        assert!(
            waits.is_sorted()
                && waits[0] >= *DEFER_RANGE.start()
                && waits[999] == *DEFER_RANGE.end()
        );
        assert!(waits[99] > Duration::from_secs(5));
    }
}
