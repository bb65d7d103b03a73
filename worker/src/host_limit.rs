//! How many checks may run against one host at once, so that a slow host holds up nobody but itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The least and the most that a check is put off for.
const PUT_OFF: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(20)..=Duration::from_secs(30);

/// The running checks of each host. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct HostLimit {
    most: usize,
    hosts: Arc<Mutex<HashMap<Arc<str>, Host>>>,
}

#[derive(Debug)]
struct Host {
    running: usize,
    /// How long its checks take lately.
    usual: Duration,
    /// When the last of those that were put off may hope for a place.
    line_until: Instant,
}

/// The place of one running check; dropping it frees the place.
#[derive(Debug)]
pub(crate) struct HostPlace {
    limit: HostLimit,
    host: Arc<str>,
    since: Instant,
}

impl HostLimit {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            hosts: Arc::default(),
        }
    }

    /// A place for a check of `host`.
    ///
    /// # Errors
    /// With the time after which to ask again when the host has none free. Those that ask are lined up at the rate at
    /// which the host's places become free, so that a long line does not keep asking.
    pub(crate) fn take(&self, host: &Arc<str>, now: Instant) -> Result<HostPlace, Duration> {
        let mut hosts = self.hosts();
        let state = hosts.entry(Arc::clone(host)).or_insert(Host {
            running: 0,
            usual: Duration::from_millis(100),
            line_until: now,
        });
        if state.running < self.most {
            state.running += 1;
            return Ok(HostPlace {
                limit: self.clone(),
                host: Arc::clone(host),
                since: now,
            });
        }
        let turn = state.usual / u32::try_from(self.most).unwrap_or(u32::MAX);
        state.line_until = (state.line_until + turn).max(now).min(now + *PUT_OFF.end());
        Err((state.line_until - now).max(*PUT_OFF.start()))
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<Arc<str>, Host>> {
        self.hosts
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

impl Drop for HostPlace {
    fn drop(&mut self) {
        let mut hosts = self.limit.hosts();
        let Some(state) = hosts.get_mut(&self.host) else {
            return;
        };
        state.running -= 1;
        state.usual = (state.usual * 7 + self.since.elapsed()) / 8;
        // What is left to know of a host that is idle and that nobody waits for is not worth keeping.
        if state.running == 0 && state.line_until <= Instant::now() {
            hosts.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_its_own_places_and_gets_them_back() {
        let limit = HostLimit::new(2);
        let (slow, other): (Arc<str>, Arc<str>) = ("slow".into(), "other".into());
        let now = Instant::now();
        let first = limit.take(&slow, now).unwrap();
        let _second = limit.take(&slow, now).unwrap();
        assert!(limit.take(&slow, now).is_err());
        let other = limit.take(&other, now).unwrap();
        drop(first);
        assert!(limit.take(&slow, now).is_ok());
        drop(other);
        assert_eq!(limit.hosts().len(), 1, "a host that is idle is forgotten");
    }

    #[test]
    fn a_long_line_is_spread_over_the_time_that_it_will_take() {
        let limit = HostLimit::new(1);
        let host: Arc<str> = "slow".into();
        let now = Instant::now();
        let _running = limit.take(&host, now).unwrap();
        let waits: Vec<_> = (0..1000)
            .map(|_| limit.take(&host, now).unwrap_err())
            .collect();
        assert!(waits.is_sorted() && waits[0] >= *PUT_OFF.start() && waits[999] == *PUT_OFF.end());
        assert!(waits[99] > Duration::from_secs(5));
    }
}
