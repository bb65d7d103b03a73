//! How often somebody may ask: by their account, and by the network that they come from when nobody knows yet who they
//! are. Nobody is exempt; the numbers are far above what the dashboard needs.
//!
//! Kept in this process's memory, so that several processes allow several times as much: the point is that nobody can
//! wear the service out, not that anybody's requests are counted exactly.

mod memory;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::{Quota, RateLimiter};
use memory::Memory;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
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
    /// Discoveries of vendor pages, each of which asks many addresses, by account.
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
            "discoverVendorPage" | "validateVendorPageUrls" => Some(Self::Discovery),
            _ => None,
        }
    }
}

/// Too often: how long to wait, in whole seconds and at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) u64);

/// Counts, and refuses.
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
        // What an office or a page that is opened anew sends at once.
        let at_once = |each_minute: NonZeroU32| each_minute.get().div_ceil(10);
        let requests = limits
            .operations
            .saturating_mul(NonZeroU32::MIN.saturating_add(3));
        Self {
            sign_ins: NetworkRate::new(limits.sign_ins, limits.sign_ins.get()),
            requests: NetworkRate::new(requests, at_once(requests)),
            operations: Rate::new(limits.operations, at_once(limits.operations)),
            checks: Rate::new(limits.checks, limits.checks.get()),
            tests: Rate::new(limits.tests, limits.tests.get()),
            discoveries: Rate::new(limits.discoveries, limits.discoveries.get()),
            exports: Rate::new(limits.exports, limits.exports.get()),
        }
    }

    /// An attempt to sign in.
    pub(crate) fn sign_in(&self, from: IpAddr) -> Result<(), Wait> {
        self.sign_ins.take(from, 1)
    }

    /// A request, before anybody knows who sends it.
    pub(crate) fn request(&self, from: IpAddr) -> Result<(), Wait> {
        self.requests.take(from, 1)
    }

    /// Operations of the API, of a user or else of a stranger's network.
    pub(crate) fn operations(
        &self,
        user: Option<Uuid>,
        from: IpAddr,
        count: usize,
    ) -> Result<(), Wait> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match user {
            Some(user) => self.operations.take(&user, count),
            None => self.requests.take(from, count),
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
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => beginning(v6, 64).into(),
    }
}

/// The customer whom an address of IPv6 stands for: many get 2^16 networks at once.
pub(crate) fn site(address: IpAddr) -> Option<Ipv6Addr> {
    match address.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(beginning(v6, 48)),
    }
}

fn beginning(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> bits))
}

/// How many times as much as a network a whole site may do.
pub(crate) const SITE: u32 = 8;

/// One limit for each network, and a wider one for each site.
struct NetworkRate {
    networks: Rate<IpAddr>,
    sites: Rate<Ipv6Addr>,
}

impl NetworkRate {
    fn new(each_minute: NonZeroU32, at_once: u32) -> Self {
        let of_site =
            NonZeroU32::new(SITE).map_or(each_minute, |times| each_minute.saturating_mul(times));
        Self {
            networks: Rate::new(each_minute, at_once),
            sites: Rate::new(of_site, at_once.saturating_mul(SITE)),
        }
    }

    /// A network that is refused takes nothing away from its site.
    fn take(&self, from: IpAddr, count: u32) -> Result<(), Wait> {
        self.networks.take(&network(from), count)?;
        site(from).map_or(Ok(()), |site| self.sites.take(&site, count))
    }
}

type Limiter<K, C> = RateLimiter<K, Memory<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// One limit, for each of many.
pub(crate) struct Rate<K: Clone + Eq + Hash, C: Clock = DefaultClock> {
    quota: Quota,
    clock: C,
    limiter: Limiter<K, C>,
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
        let limiter = RateLimiter::new(quota, Memory::new(capacity), clock.clone());
        Self {
            quota,
            clock,
            limiter,
        }
    }

    /// Counts `count` times at once for `key`, all or none.
    pub(crate) fn take(&self, key: &K, count: u32) -> Result<(), Wait> {
        let Some(count) = NonZeroU32::new(count) else {
            return Ok(());
        };
        match self.limiter.check_key_n(key, count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(later)) => Err(wait(later.wait_time_from(self.clock.now()))),
            // More than may ever come at once.
            Err(_) => Err(wait(self.quota.burst_size_replenished_in())),
        }
    }
}

fn wait(time: Duration) -> Wait {
    Wait((time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn rate(
        each_minute: u32,
        at_once: u32,
        capacity: usize,
    ) -> (Rate<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (
            Rate::with(
                NonZeroU32::new(each_minute).unwrap(),
                at_once,
                capacity,
                clock.clone(),
            ),
            clock,
        )
    }

    #[test]
    fn so_many_may_come_at_once_and_then_one_after_the_other() {
        let (rate, clock) = rate(60, 3, 10);
        assert_eq!(
            [rate.take(&1, 1), rate.take(&1, 2), rate.take(&1, 1)],
            [Ok(()), Ok(()), Err(Wait(1))]
        );
        assert_eq!(
            rate.take(&2, 3),
            Ok(()),
            "somebody else's are counted apart"
        );
        clock.advance(Duration::from_secs(1));
        assert_eq!([rate.take(&1, 1), rate.take(&1, 1)], [Ok(()), Err(Wait(1))]);
        assert_eq!(rate.take(&1, 3), Err(Wait(3)), "all or none");
        assert_eq!(
            rate.take(&3, 4),
            Err(Wait(3)),
            "more than ever may come at once"
        );
        assert_eq!(rate.take(&1, 0), Ok(()));
        clock.advance(Duration::from_secs(60));
        assert_eq!(rate.take(&1, 3), Ok(()));
    }

    #[test]
    fn when_memory_is_full_those_who_asked_least_are_forgotten() {
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
