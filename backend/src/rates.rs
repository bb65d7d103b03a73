//! How often somebody may ask: by their account, and by the network that they come from when nobody knows yet who they
//! are. Nobody is exempt; the numbers are far above what the dashboard needs.
//!
//! Kept in this process's memory, so that several processes allow several times as much: the point is that nobody can
//! wear the service out, not that anybody's requests are counted exactly.

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use uuid::Uuid;

/// How many accounts or networks are remembered at once, for each limit; each takes about 100 bytes.
const REMEMBERED: usize = 50_000;

/// How many times in a minute, on average; a part of it may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Attempts to sign in, by network.
    pub sign_ins: NonZeroU32,
    /// Operations of the API, by account. A network may send four times as many requests, because several people may be
    /// behind it.
    pub operations: NonZeroU32,
    /// Checks that are asked for, by account.
    pub checks: NonZeroU32,
    /// Looks at an address before it is added, by account.
    pub tests: NonZeroU32,
    /// Discoveries of status pages, each of which asks many addresses, by account.
    pub discoveries: NonZeroU32,
    /// Exports of everything, by account.
    pub exports: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        let each_minute = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self {
            sign_ins: each_minute(60),
            operations: each_minute(12_000),
            checks: each_minute(300),
            tests: each_minute(60),
            discoveries: each_minute(30),
            exports: each_minute(6),
        }
    }
}

/// An operation that costs more than reading or writing some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Costly {
    Check,
    Test,
    Discovery,
}

impl Costly {
    /// The one that a field of the API is, if it is one.
    pub(crate) fn of_field(name: &str) -> Option<Self> {
        match name {
            "checkService" => Some(Self::Check),
            "testService" => Some(Self::Test),
            "discoverStatusPage" | "validateStatusPageUrls" => Some(Self::Discovery),
            _ => None,
        }
    }
}

/// Too often: how long to wait, in whole seconds and at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) u64);

/// Counts, and refuses.
pub(crate) struct Rates {
    sign_ins: Rate<IpAddr>,
    requests: Rate<IpAddr>,
    operations: Rate<Uuid>,
    checks: Rate<Uuid>,
    tests: Rate<Uuid>,
    discoveries: Rate<Uuid>,
    exports: Rate<Uuid>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        // What an office or a page that is opened anew sends at once.
        let at_once = |each_minute: NonZeroU32| each_minute.get().div_ceil(10);
        let requests = limits.operations.saturating_mul(NonZeroU32::MIN.saturating_add(3));
        Self {
            sign_ins: Rate::new(limits.sign_ins, limits.sign_ins.get()),
            requests: Rate::new(requests, at_once(requests)),
            operations: Rate::new(limits.operations, at_once(limits.operations)),
            checks: Rate::new(limits.checks, limits.checks.get()),
            tests: Rate::new(limits.tests, limits.tests.get()),
            discoveries: Rate::new(limits.discoveries, limits.discoveries.get()),
            exports: Rate::new(limits.exports, limits.exports.get()),
        }
    }

    /// An attempt to sign in.
    pub(crate) fn sign_in(&self, from: IpAddr) -> Result<(), Wait> {
        self.sign_ins.take(&network(from), 1)
    }

    /// A request, before anybody knows who sends it.
    pub(crate) fn request(&self, from: IpAddr) -> Result<(), Wait> {
        self.requests.take(&network(from), 1)
    }

    /// Operations of the API, of a user or else of a stranger's network.
    pub(crate) fn operations(&self, user: Option<Uuid>, from: IpAddr, count: usize) -> Result<(), Wait> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match user {
            Some(user) => self.operations.take(&user, count),
            None => self.requests.take(&network(from), count),
        }
    }

    pub(crate) fn costly(&self, what: Costly, user: Uuid, count: u32) -> Result<(), Wait> {
        let rate = match what {
            Costly::Check => &self.checks,
            Costly::Test => &self.tests,
            Costly::Discovery => &self.discoveries,
        };
        rate.take(&user, count)
    }

    pub(crate) fn export(&self, user: Uuid) -> Result<(), Wait> {
        self.exports.take(&user, 1)
    }
}

/// Whom an address stands for: whoever has one of IPv6 has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

type Limiter<K, C> = RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// One limit, for each of many.
pub(crate) struct Rate<K: Clone + Eq + Hash, C: Clock = DefaultClock> {
    quota: Quota,
    clock: C,
    capacity: usize,
    limiter: RwLock<Limiter<K, C>>,
}

impl<K: Clone + Eq + Hash> Rate<K> {
    pub(crate) fn new(each_minute: NonZeroU32, at_once: u32) -> Self {
        Self::with(each_minute, at_once, REMEMBERED, DefaultClock::default())
    }
}

impl<K: Clone + Eq + Hash, C: Clock + Clone> Rate<K, C> {
    fn with(each_minute: NonZeroU32, at_once: u32, capacity: usize, clock: C) -> Self {
        let at_once = NonZeroU32::new(at_once).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(each_minute).allow_burst(at_once);
        let limiter = RwLock::new(limiter(quota, &clock));
        Self { quota, clock, capacity, limiter }
    }

    /// Counts `count` times at once for `key`, all or none.
    pub(crate) fn take(&self, key: &K, count: u32) -> Result<(), Wait> {
        let Some(count) = NonZeroU32::new(count) else { return Ok(()) };
        let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
        let outcome = match limiter.check_key_n(key, count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(later)) => Err(wait(later.wait_time_from(self.clock.now()))),
            // More than may ever come at once.
            Err(_) => Err(wait(self.quota.burst_size_replenished_in())),
        };
        let full = limiter.len() > self.capacity;
        drop(limiter);
        if full {
            self.make_room();
        }
        outcome
    }

    /// Forgets whoever has not asked lately. When nearly all have, everybody begins anew: that helps nobody who has so
    /// many networks to come from, and looking for some to forget at every request would be what wears the service out.
    fn make_room(&self) {
        let mut limiter = self.limiter.write().unwrap_or_else(PoisonError::into_inner);
        limiter.retain_recent();
        if limiter.len() > self.capacity / 4 * 3 {
            *limiter = self::limiter(self.quota, &self.clock);
        } else {
            limiter.shrink_to_fit();
        }
    }
}

fn limiter<K: Clone + Eq + Hash, C: Clock + Clone>(quota: Quota, clock: &C) -> Limiter<K, C> {
    RateLimiter::new(quota, HashMapStateStore::default(), clock.clone())
}

fn wait(time: Duration) -> Wait {
    Wait((time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn rate(each_minute: u32, at_once: u32, capacity: usize) -> (Rate<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Rate::with(NonZeroU32::new(each_minute).unwrap(), at_once, capacity, clock.clone()), clock)
    }

    #[test]
    fn so_many_may_come_at_once_and_then_one_after_the_other() {
        let (rate, clock) = rate(60, 3, 10);
        assert_eq!([rate.take(&1, 1), rate.take(&1, 2), rate.take(&1, 1)], [Ok(()), Ok(()), Err(Wait(1))]);
        assert_eq!(rate.take(&2, 3), Ok(()), "somebody else's are counted apart");
        clock.advance(Duration::from_secs(1));
        assert_eq!([rate.take(&1, 1), rate.take(&1, 1)], [Ok(()), Err(Wait(1))]);
        assert_eq!(rate.take(&1, 3), Err(Wait(3)), "all or none");
        assert_eq!(rate.take(&3, 4), Err(Wait(3)), "more than ever may come at once");
        assert_eq!(rate.take(&1, 0), Ok(()));
        clock.advance(Duration::from_secs(60));
        assert_eq!(rate.take(&1, 3), Ok(()));
    }

    #[test]
    fn however_many_come_memory_is_bounded() {
        let (rate, clock) = rate(60, 1, 100);
        for key in 0..10_000 {
            assert_eq!(rate.take(&key, 1), Ok(()));
            assert!(rate.limiter.read().unwrap().len() <= 101);
        }
        for key in 20_000..20_090 {
            rate.take(&key, 1).unwrap();
        }
        clock.advance(Duration::from_secs(60));
        for key in 0..60 {
            rate.take(&key, 1).unwrap();
        }
        assert!(rate.limiter.read().unwrap().len() < 70, "those who asked long ago are forgotten");
        assert_eq!(rate.take(&7, 1), Err(Wait(1)), "and not those who asked lately");
    }

    #[test]
    fn a_network_is_one_address_of_ipv4_and_a_half_of_ipv6() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            let [one_network, other_network] = [one, other].map(|ip| network(ip.parse().unwrap()));
            assert_eq!(one_network == other_network, same, "{one} {other}");
        }
    }
}
