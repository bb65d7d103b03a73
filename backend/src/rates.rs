//! Rate limits per user, and per client network before the user is known. Nobody is exempt; the
//! limits are far above what the dashboard needs.
//!
//! State is kept in this process's memory, so several processes allow several times as much: the
//! purpose is to bound the load that one client causes, not to count requests exactly.

mod state_store;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::{Quota, RateLimiter};
use state_store::BoundedStateStore;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;
use uuid::Uuid;

/// Maximum number of users or networks that each limit tracks; each takes about 100 bytes.
const MAX_TRACKED_KEYS: usize = 50_000;

/// Average rates per minute; a part of each may come as a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sign-in attempts per network.
    pub sign_ins: NonZeroU32,
    /// GraphQL operations per user. A network may send four times as many requests, because several
    /// people may share it.
    pub operations: NonZeroU32,
    /// Checks on demand per user.
    pub checks: NonZeroU32,
    /// Tests of services that do not exist yet, per user.
    pub tests: NonZeroU32,
    /// Discoveries of vendor pages, each of which requests many URLs, per user.
    pub discoveries: NonZeroU32,
    /// Account exports per user.
    pub exports: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        let per_minute = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self {
            sign_ins: per_minute(60),
            operations: per_minute(12_000),
            checks: per_minute(300),
            tests: per_minute(60),
            discoveries: per_minute(30),
            exports: per_minute(6),
        }
    }
}

/// An operation that costs more than reading or writing a few rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExpensiveOperation {
    Check,
    Test,
    Discovery,
}

impl ExpensiveOperation {
    /// The expensive operation that a root field starts, if any.
    pub(crate) fn from_field(name: &str) -> Option<Self> {
        match name {
            "checkService" => Some(Self::Check),
            "testService" => Some(Self::Test),
            "discoverVendorPage" | "validateVendorPageUrls" => Some(Self::Discovery),
            _ => None,
        }
    }
}

/// Refusal with the time until a retry is allowed, in whole seconds, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryAfter(pub(crate) u64);

/// All rate limits of this process.
pub(crate) struct Rates {
    sign_ins: NetworkRate,
    requests: NetworkRate,
    operations: Rate<Uuid>,
    checks: Rate<Uuid>,
    tests: Rate<Uuid>,
    discoveries: Rate<Uuid>,
    exports: Rate<Uuid>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        // Enough for a page that reloads, or an office behind one address.
        let burst = |per_minute: NonZeroU32| per_minute.get().div_ceil(10);
        let requests = limits
            .operations
            .saturating_mul(NonZeroU32::MIN.saturating_add(3));
        Self {
            sign_ins: NetworkRate::new(limits.sign_ins, limits.sign_ins.get()),
            requests: NetworkRate::new(requests, burst(requests)),
            operations: Rate::new(limits.operations, burst(limits.operations)),
            checks: Rate::new(limits.checks, limits.checks.get()),
            tests: Rate::new(limits.tests, limits.tests.get()),
            discoveries: Rate::new(limits.discoveries, limits.discoveries.get()),
            exports: Rate::new(limits.exports, limits.exports.get()),
        }
    }

    /// Takes one sign-in attempt.
    pub(crate) fn sign_in(&self, from: IpAddr) -> Result<(), RetryAfter> {
        self.sign_ins.take(from, 1)
    }

    /// Takes one request of a sender that is not identified yet.
    pub(crate) fn request(&self, from: IpAddr) -> Result<(), RetryAfter> {
        self.requests.take(from, 1)
    }

    /// Takes `count` operations of a user, or of a network if nobody is signed in.
    pub(crate) fn operations(
        &self,
        user: Option<Uuid>,
        from: IpAddr,
        count: usize,
    ) -> Result<(), RetryAfter> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match user {
            Some(user) => self.operations.take(&user, count),
            None => self.requests.take(from, count),
        }
    }

    /// Takes `count` expensive operations of one kind.
    pub(crate) fn expensive(
        &self,
        operation: ExpensiveOperation,
        user: Uuid,
        count: u32,
    ) -> Result<(), RetryAfter> {
        let rate = match operation {
            ExpensiveOperation::Check => &self.checks,
            ExpensiveOperation::Test => &self.tests,
            ExpensiveOperation::Discovery => &self.discoveries,
        };
        rate.take(&user, count)
    }

    /// Takes one account export.
    pub(crate) fn export(&self, user: Uuid) -> Result<(), RetryAfter> {
        self.exports.take(&user, 1)
    }
}

/// The network that counts as one client: one IPv4 address, or an IPv6 /64, in which a host has
/// 2^64 addresses.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => mask(v6, 64).into(),
    }
}

/// The IPv6 /48 of an address: many customers of a provider get 2^16 networks.
pub(crate) fn site(address: IpAddr) -> Option<Ipv6Addr> {
    match address.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(mask(v6, 48)),
    }
}

fn mask(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> bits))
}

/// Limit of a site as a multiple of that of a network.
pub(crate) const IPV6_SITE_FACTOR: u32 = 8;

/// A limit per network and a wider one per site.
struct NetworkRate {
    networks: Rate<IpAddr>,
    sites: Rate<Ipv6Addr>,
}

impl NetworkRate {
    fn new(per_minute: NonZeroU32, burst: u32) -> Self {
        let site_rate = NonZeroU32::new(IPV6_SITE_FACTOR)
            .map_or(per_minute, |times| per_minute.saturating_mul(times));
        Self {
            networks: Rate::new(per_minute, burst),
            sites: Rate::new(site_rate, burst.saturating_mul(IPV6_SITE_FACTOR)),
        }
    }

    /// Takes from the network first: a refused network takes nothing from its site.
    fn take(&self, from: IpAddr, count: u32) -> Result<(), RetryAfter> {
        self.networks.take(&network(from), count)?;
        site(from).map_or(Ok(()), |site| self.sites.take(&site, count))
    }
}

type Limiter<K, C> = RateLimiter<K, BoundedStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// A limit per key.
pub(crate) struct Rate<K: Clone + Eq + Hash, C: Clock = DefaultClock> {
    quota: Quota,
    clock: C,
    limiter: Limiter<K, C>,
}

impl<K: Clone + Eq + Hash> Rate<K> {
    pub(crate) fn new(per_minute: NonZeroU32, burst: u32) -> Self {
        Self::with(per_minute, burst, MAX_TRACKED_KEYS, DefaultClock::default())
    }
}

impl<K: Clone + Eq + Hash, C: Clock + Clone> Rate<K, C> {
    fn with(per_minute: NonZeroU32, burst: u32, capacity: usize, clock: C) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(per_minute).allow_burst(burst);
        let limiter = RateLimiter::new(quota, BoundedStateStore::new(capacity), clock.clone());
        Self {
            quota,
            clock,
            limiter,
        }
    }

    /// Takes `count` at once for `key`, all or none.
    pub(crate) fn take(&self, key: &K, count: u32) -> Result<(), RetryAfter> {
        let Some(count) = NonZeroU32::new(count) else {
            return Ok(());
        };
        match self.limiter.check_key_n(key, count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(later)) => Err(retry_after(later.wait_time_from(self.clock.now()))),
            // More than the largest burst.
            Err(_) => Err(retry_after(self.quota.burst_size_replenished_in())),
        }
    }
}

fn retry_after(time: Duration) -> RetryAfter {
    RetryAfter((time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn rate(
        per_minute: u32,
        burst: u32,
        capacity: usize,
    ) -> (Rate<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (
            Rate::with(
                NonZeroU32::new(per_minute).unwrap(),
                burst,
                capacity,
                clock.clone(),
            ),
            clock,
        )
    }

    #[test]
    fn a_burst_is_allowed_and_then_the_average_rate() {
        let (rate, clock) = rate(60, 3, 10);
        assert_eq!(
            [rate.take(&1, 1), rate.take(&1, 2), rate.take(&1, 1)],
            [Ok(()), Ok(()), Err(RetryAfter(1))]
        );
        assert_eq!(rate.take(&2, 3), Ok(()), "each key has a limit of its own");
        clock.advance(Duration::from_secs(1));
        assert_eq!(
            [rate.take(&1, 1), rate.take(&1, 1)],
            [Ok(()), Err(RetryAfter(1))]
        );
        assert_eq!(rate.take(&1, 3), Err(RetryAfter(3)), "all or none");
        assert_eq!(
            rate.take(&3, 4),
            Err(RetryAfter(3)),
            "more than the largest burst"
        );
        assert_eq!(rate.take(&1, 0), Ok(()));
        clock.advance(Duration::from_secs(60));
        assert_eq!(rate.take(&1, 3), Ok(()));
    }

    #[test]
    fn a_full_store_forgets_the_keys_that_used_least() {
        let (rate, _) = rate(60, 10, 100);
        for greedy in 0..20 {
            assert_eq!(rate.take(&greedy, 10), Ok(()));
        }
        for key in 1_000..11_000 {
            assert_eq!(rate.take(&key, 1), Ok(()));
            if key % 100 == 0 {
                assert!(
                    (0..20).all(|greedy| rate.take(&greedy, 1).is_err()),
                    "{key}"
                );
            }
        }
    }

    #[test]
    fn many_networks_of_one_site_are_counted_together() {
        let rate = NetworkRate::new(NonZeroU32::new(60).unwrap(), 3);
        let ask = |ip: &str| rate.take(ip.parse().unwrap(), 1);
        for network in 0..8 {
            for host in 1..=3 {
                assert_eq!(ask(&format!("2001:db8:0:{network}::{host}")), Ok(()));
            }
            assert!(ask(&format!("2001:db8:0:{network}::9")).is_err());
        }
        assert!(
            ask("2001:db8:0:8::1").is_err(),
            "a network that is new, of a site that is not"
        );
        assert_eq!(ask("2001:db8:1::1"), Ok(()), "another site");
        for n in 0..100 {
            assert_eq!(ask(&format!("192.0.2.{n}")), Ok(()), "IPv4 knows no sites");
        }
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
