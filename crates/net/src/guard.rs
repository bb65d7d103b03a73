//! Which addresses a request that somebody else chose may go to.
//!
//! Judges addresses, names and schemes; opens nothing and looks nothing up. Whoever sends a request asks
//! [`Guard::check_url`] before every hop (clients connect to an address written in a URL without asking a resolver)
//! and lets the client resolve names through [`GuardedResolver`](crate::GuardedResolver) alone, so that the address
//! that was judged is the address that is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// How far requests may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Also this machine and its private networks; still not what is [never a target](Guard::check_ip).
    AllowPrivate,
    /// Only addresses that are routed on the public internet. A network that reaches IPv4 through NAT64 alone sees
    /// it under addresses that are not (RFC 6052), and needs [`AllowPrivate`](Self::AllowPrivate).
    PublicOnly,
}

/// Why a request was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Neither `http` nor `https`.
    #[error("{0} addresses are not requested, only http and https")]
    Scheme(String),
    /// An address that was written in the URL.
    #[error("{0} is a private or reserved address")]
    Address(IpAddr),
    /// A name that stands for such an address. The address stays unsaid: it would tell strangers about the inside
    /// of a network.
    #[error("{0} resolves to a private or reserved address")]
    Name(String),
}

impl Guard {
    /// Whether `url` may be requested, as far as that can be told before its name is resolved.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn check_url(self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme(url.scheme().to_owned()));
        }
        match url.host() {
            Some(Host::Ipv4(ip)) => self.check_ip(ip.into()),
            Some(Host::Ipv6(ip)) => self.check_ip(ip.into()),
            // These names mean this machine whatever a name server says (RFC 6761, 6.3).
            Some(Host::Domain(name)) if self == Self::PublicOnly && is_localhost(name) => {
                Err(Refused::Name(name.to_owned()))
            }
            Some(Host::Domain(_)) => Ok(()),
            None => Err(Refused::Name(String::new())),
        }
    }

    /// Whether all addresses of `name` may be connected to. One that may not refuses the name: which of its
    /// addresses a client ends up with is not ours to choose, and an honest name has no reason to mix them.
    ///
    /// # Errors
    /// [`Refused::Name`] if any address may not.
    pub fn check_resolved(
        self,
        name: &str,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<(), Refused> {
        for ip in addresses {
            if self.check_ip(ip).is_err() {
                tracing::debug!(name, address = %ip, "a name resolves to an address that is not allowed");
                return Err(Refused::Name(name.to_owned()));
            }
        }
        Ok(())
    }

    /// Whether `ip` may be connected to.
    ///
    /// Never a target, even where private ones are allowed: the addresses at which clouds hand credentials to
    /// whatever runs on a machine, and all of IPv4's link-local range, where most of them are (there is nothing to
    /// monitor there, and everything to steal), multicast and broadcast (not one host), and the unspecified address (no host at all). An IPv6 address that carries an
    /// IPv4 address is never a target either if the address it carries is not.
    ///
    /// # Errors
    /// [`Refused::Address`] if it may not.
    pub fn check_ip(self, ip: IpAddr) -> Result<(), Refused> {
        let allowed = match self {
            Self::AllowPrivate => !never_a_target(ip),
            Self::PublicOnly => !never_a_target(ip) && is_public(ip),
        };
        if allowed {
            Ok(())
        } else {
            Err(Refused::Address(ip))
        }
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

fn never_a_target(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_link_local()
                || METADATA_V4.contains(&v4.octets())
        }
        IpAddr::V6(v6) => {
            v6.is_unspecified()
                || v6.is_multicast()
                || METADATA_V6.contains(&v6.segments())
                || carried_v4(v6).any(|v4| never_a_target(v4.into()))
        }
    }
}

/// Alibaba; Azure's host; Oracle. Nearly all others have theirs on link-local addresses.
const METADATA_V4: [[u8; 4]; 3] = [[100, 100, 100, 200], [168, 63, 129, 16], [192, 0, 0, 192]];

/// AWS's instance metadata and EKS; Google; Scaleway.
const METADATA_V6: [[u16; 8]; 4] = [
    [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254],
    [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23],
    [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254],
    [0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42],
];

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !NOT_PUBLIC_V4
            .iter()
            .any(|(net, bits)| in_v4(v4, *net, *bits)),
        IpAddr::V6(v6) => {
            // Only global unicast; everything outside it is special (RFC 4291, 2.4): loopback, mapped, compatible,
            // NAT64, unique local, link local, site local, segment routing, and all that is not assigned yet.
            in_v6(v6, [0x2000, 0], 3)
                && !NOT_PUBLIC_V6
                    .iter()
                    .any(|(net, bits)| in_v6(v6, *net, *bits))
        }
    }
}

/// The IANA registry of special-purpose addresses, without those that are globally reachable.
const NOT_PUBLIC_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),       // "this network"
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // carrier-grade NAT
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link local
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved
    ([255, 255, 255, 255], 32),
];

/// What is special inside global unicast; 32 bits tell all of it apart.
const NOT_PUBLIC_V6: [([u16; 2], u32); 4] = [
    ([0x2001, 0], 23),     // protocol assignments: Teredo, benchmarks, ORCHID
    ([0x2001, 0xdb8], 32), // documentation
    ([0x2002, 0], 16),     // 6to4
    ([0x3fff, 0], 20),     // documentation
];

fn in_v4(ip: Ipv4Addr, net: [u8; 4], bits: u32) -> bool {
    (u32::from(ip) ^ u32::from_be_bytes(net)) >> (32 - bits) == 0
}

fn in_v6(ip: Ipv6Addr, [a, b]: [u16; 2], bits: u32) -> bool {
    let [first, second, ..] = ip.segments();
    let head = |high: u16, low: u16| u32::from(high) << 16 | u32::from(low);
    (head(first, second) ^ head(a, b)) >> (32 - bits) == 0
}

/// The IPv4 addresses that an IPv6 address stands for or is tunnelled to.
fn carried_v4(ip: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    let low = v4(s[6], s[7]);
    let carried = match s {
        // Mapped, translated and compatible (RFC 4291, RFC 2765).
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0, 0, 0, 0, 0, 0, ..] => {
            [Some(low), None]
        }
        // NAT64 (RFC 6052, RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => [Some(low), None],
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => [Some(v4(high, low)), None],
        // Teredo: its server, and the client with all bits turned (RFC 4380).
        [0x2001, 0, high, server_low, ..] => [Some(v4(high, server_low)), Some(v4(!s[6], !s[7]))],
        _ => [None, None],
    };
    carried.into_iter().flatten()
}

#[cfg(test)]
mod tests;
