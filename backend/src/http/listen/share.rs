//! How many of the connections one client may have: so many that nobody needs more, and so few that nobody can take all.

use crate::rates::{self, SITE};
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most connections of one network, WebSockets included. A whole site of IPv6 may have some times as many.
pub(super) const MOST: u32 = 256;

/// Counts.
#[derive(Debug)]
pub(super) struct Shares {
    /// Those who speak for many.
    exempt: Vec<IpNet>,
    taken: Mutex<HashMap<Whose, u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Network(IpAddr),
    Site(Ipv6Addr),
}

/// One connection, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    shares: Arc<Shares>,
    counted: Vec<Whose>,
}

impl Shares {
    pub(super) fn new(exempt: impl IntoIterator<Item = IpNet>) -> Arc<Self> {
        Arc::new(Self {
            exempt: exempt.into_iter().collect(),
            taken: Mutex::default(),
        })
    }

    /// `None` when `from` has as many as it may have.
    pub(super) fn take(self: &Arc<Self>, from: IpAddr) -> Option<Share> {
        let from = from.to_canonical();
        let exempt = self.exempt.iter().any(|net| net.contains(&from));
        let site = rates::site(from).map(|site| (Whose::Site(site), MOST * SITE));
        let all = [Some((Whose::Network(rates::network(from)), MOST)), site];
        let all: Vec<_> = all.into_iter().flatten().filter(|_| !exempt).collect();
        let mut taken = self.taken();
        if all
            .iter()
            .any(|(whose, most)| taken.get(whose).is_some_and(|count| count >= most))
        {
            return None;
        }
        let counted: Vec<_> = all.into_iter().map(|(whose, _)| whose).collect();
        for whose in &counted {
            *taken.entry(*whose).or_default() += 1;
        }
        Some(Share {
            shares: Arc::clone(self),
            counted,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Whose, u32>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.taken();
        for whose in &self.counted {
            if let Some(count) = taken.get_mut(whose) {
                *count -= 1;
                if *count == 0 {
                    taken.remove(whose);
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
    fn one_network_gets_so_many_and_the_others_theirs() {
        let shares = Shares::new(["10.0.0.0/8".parse().unwrap()]);
        let mut held: Vec<_> = (0..MOST)
            .map(|_| shares.take(ip("192.0.2.1")).unwrap())
            .collect();
        assert!(
            shares.take(ip("192.0.2.1")).is_none() && shares.take(ip("::ffff:192.0.2.1")).is_none()
        );
        assert!(shares.take(ip("192.0.2.2")).is_some(), "another address");
        held.pop();
        held.push(shares.take(ip("192.0.2.1")).expect("one was given back"));
        let proxy: Vec<_> = (0..2 * MOST).map(|_| shares.take(ip("10.0.0.1"))).collect();
        assert!(proxy.iter().all(Option::is_some), "a proxy speaks for many");
        drop((held, proxy));
        assert!(
            shares.taken().is_empty(),
            "nothing is remembered of those who have gone"
        );
    }

    #[test]
    fn a_site_cannot_take_all_by_its_many_networks() {
        let shares = Shares::new([]);
        let from =
            |network: u32, host: u32| shares.take(ip(&format!("2001:db8:0:{network:x}::{host:x}")));
        let mut held = Vec::new();
        for network in 0..SITE {
            held.extend((0..MOST).map(|host| from(network, host).unwrap()));
            assert!(from(network, 1).is_none());
        }
        assert!(from(SITE, 1).is_none());
        assert!(shares.take(ip("2001:db8:1::1")).is_some(), "another site");
    }
}
