//! Decides which addresses a request may go to that users chose (protection against SSRF).
//!
//! Checks schemes, names and addresses, without I/O. Call [`Guard::check_url`] before every hop,
//! because clients connect to an IP address in a URL without a resolver. Resolve names only through
//! [`GuardedResolver`](crate::GuardedResolver), so that the checked address is the one connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Which addresses requests may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Also this machine and private networks, but no [forbidden addresses](Guard::check_ip).
    AllowPrivate,
    /// Only addresses on the public internet. A network that reaches IPv4 only through NAT64 needs
    /// [`AllowPrivate`](Self::AllowPrivate), because NAT64 addresses are not public (RFC 6052).
    PublicOnly,
}

/// Reason why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Neither `http` nor `https`.
    #[error("{0} addresses are not requested, only http and https")]
    Scheme(String),
    /// A private or reserved IP address in the URL.
    #[error("{0} is a private or reserved address")]
    Address(IpAddr),
    /// A name that resolves to such an address. The address is not included, because it would reveal
    /// details of an internal network.
    #[error("{0} resolves to a private or reserved address")]
    Name(String),
}

impl Guard {
    /// Checks `url` as far as possible before its name is resolved.
    ///
    /// # Errors
    /// Returns why the URL may not be requested.
    pub fn check_url(self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme(url.scheme().to_owned()));
        }
        match url.host() {
            Some(Host::Ipv4(ip)) => self.check_ip(ip.into()),
            Some(Host::Ipv6(ip)) => self.check_ip(ip.into()),
            // These names always mean this machine (RFC 6761, 6.3).
            Some(Host::Domain(name)) if self == Self::PublicOnly && is_localhost(name) => {
                Err(Refused::Name(name.to_owned()))
            }
            Some(Host::Domain(_)) => Ok(()),
            None => Err(Refused::Name(String::new())),
        }
    }

    /// Checks all addresses that `name` resolved to. One forbidden address refuses the name, because
    /// the client chooses among them, and legitimate names do not mix public and private addresses.
    ///
    /// # Errors
    /// Returns [`Refused::Name`] if any address is not allowed.
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

    /// Checks whether `ip` may be connected to.
    ///
    /// Always forbidden, even with [`AllowPrivate`](Self::AllowPrivate): metadata services of clouds,
    /// which hand out credentials, and the whole IPv4 link-local range, where most of them are;
    /// multicast, broadcast and unspecified addresses; and IPv6 addresses that embed a forbidden IPv4
    /// address.
    ///
    /// # Errors
    /// Returns [`Refused::Address`] if it is not allowed.
    pub fn check_ip(self, ip: IpAddr) -> Result<(), Refused> {
        let allowed = match self {
            Self::AllowPrivate => !is_forbidden(ip),
            Self::PublicOnly => !is_forbidden(ip) && is_public(ip),
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

fn is_forbidden(ip: IpAddr) -> bool {
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
                || embedded_v4(v6).any(|v4| is_forbidden(v4.into()))
        }
    }
}

/// Metadata services of Alibaba, Azure and Oracle. Most others use link-local addresses.
const METADATA_V4: [[u8; 4]; 3] = [[100, 100, 100, 200], [168, 63, 129, 16], [192, 0, 0, 192]];

/// Metadata services of AWS (instances and EKS), Google and Scaleway.
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
            // Only global unicast. Everything else is special or unassigned (RFC 4291, 2.4): loopback,
            // mapped, compatible, NAT64, unique local, link local, site local, segment routing.
            in_v6(v6, [0x2000, 0], 3)
                && !NOT_PUBLIC_V6
                    .iter()
                    .any(|(net, bits)| in_v6(v6, *net, *bits))
        }
    }
}

/// IANA's special-purpose IPv4 addresses, without those that are globally reachable.
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

/// Special ranges within global unicast; their prefixes are at most 32 bits long.
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

/// Returns the IPv4 addresses that an IPv6 address embeds or is tunnelled to.
fn embedded_v4(ip: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
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
        // Teredo: the server, and the client with inverted bits (RFC 4380).
        [0x2001, 0, high, server_low, ..] => [Some(v4(high, server_low)), Some(v4(!s[6], !s[7]))],
        _ => [None, None],
    };
    carried.into_iter().flatten()
}

#[cfg(test)]
mod tests;
