//! Limits the number of connections per client, so that one client cannot use up all of them.

use crate::rates::{self, IPV6_SITE_FACTOR};
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Maximum number of connections per network, WebSockets included. An IPv6 site may have
/// [`IPV6_SITE_FACTOR`] times as many.
pub(super) const MAX_PER_NETWORK: u32 = 256;

/// Counts connections per client.
#[derive(Debug)]
pub(super) struct ConnectionLimiter {
    /// Networks without a limit, such as proxies, which connect for many clients.
    exempt: Vec<IpNet>,
    counts: Mutex<HashMap<ClientKey, u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ClientKey {
    Network(IpAddr),
    Site(Ipv6Addr),
}

/// One connection, counted until this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionGuard {
    limiter: Arc<ConnectionLimiter>,
    counted: Vec<ClientKey>,
}

impl ConnectionLimiter {
    pub(super) fn new(exempt: impl IntoIterator<Item = IpNet>) -> Arc<Self> {
        Arc::new(Self {
            exempt: exempt.into_iter().collect(),
            counts: Mutex::default(),
        })
    }

    /// Counts a connection of `from`; `None` if it has the maximum number.
    pub(super) fn acquire(self: &Arc<Self>, from: IpAddr) -> Option<ConnectionGuard> {
        let from = from.to_canonical();
        let exempt = self.exempt.iter().any(|net| net.contains(&from));
        let site = rates::site(from)
            .map(|site| (ClientKey::Site(site), MAX_PER_NETWORK * IPV6_SITE_FACTOR));
        let all = [
            Some((ClientKey::Network(rates::network(from)), MAX_PER_NETWORK)),
            site,
        ];
        let all: Vec<_> = all.into_iter().flatten().filter(|_| !exempt).collect();
        let mut counts = self.counts();
        if all
            .iter()
            .any(|(key, max)| counts.get(key).is_some_and(|count| count >= max))
        {
            return None;
        }
        let counted: Vec<_> = all.into_iter().map(|(key, _)| key).collect();
        for key in &counted {
            *counts.entry(*key).or_default() += 1;
        }
        Some(ConnectionGuard {
            limiter: Arc::clone(self),
            counted,
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<ClientKey, u32>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let mut counts = self.limiter.counts();
        for key in &self.counted {
            if let Some(count) = counts.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_network_has_a_limit_of_its_own() {
        let limiter = ConnectionLimiter::new(["10.0.0.0/8".parse().unwrap()]);
        let mut held: Vec<_> = (0..MAX_PER_NETWORK)
            .map(|_| limiter.acquire(ip("192.0.2.1")).unwrap())
            .collect();
        assert!(
            limiter.acquire(ip("192.0.2.1")).is_none()
                && limiter.acquire(ip("::ffff:192.0.2.1")).is_none()
        );
        assert!(
            limiter.acquire(ip("192.0.2.2")).is_some(),
            "another address"
        );
        held.pop();
        held.push(limiter.acquire(ip("192.0.2.1")).expect("one was closed"));
        let proxy: Vec<_> = (0..2 * MAX_PER_NETWORK)
            .map(|_| limiter.acquire(ip("10.0.0.1")))
            .collect();
        assert!(proxy.iter().all(Option::is_some), "a proxy has no limit");
        drop((held, proxy));
        assert!(
            limiter.counts().is_empty(),
            "closed connections leave nothing behind"
        );
    }

    #[test]
    fn the_networks_of_one_site_share_a_limit() {
        let limiter = ConnectionLimiter::new([]);
        let from = |network: u32, host: u32| {
            limiter.acquire(ip(&format!("2001:db8:0:{network:x}::{host:x}")))
        };
        let mut held = Vec::new();
        for network in 0..IPV6_SITE_FACTOR {
            held.extend((0..MAX_PER_NETWORK).map(|host| from(network, host).unwrap()));
            assert!(from(network, 1).is_none());
        }
        assert!(from(IPV6_SITE_FACTOR, 1).is_none());
        assert!(
            limiter.acquire(ip("2001:db8:1::1")).is_some(),
            "another site"
        );
    }
}
