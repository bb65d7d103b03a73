//! Recognises hosts of the own machine or network, which rarely speak TLS. The address guard is
//! another thing: it decides on resolved addresses, and this only on what was written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns the scheme of a URL without one: `http` for a host of the own machine or network, `https`
/// for any other. `host` is without a port, and normalized as a URL's host is.
#[must_use]
pub fn default_scheme(host: &str) -> &'static str {
    if is_local_host(host) { "http" } else { "https" }
}

/// Returns whether a host is `localhost`, or a loopback, private or link-local address.
#[must_use]
pub fn is_local_host(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.eq_ignore_ascii_case("localhost") || ends_with_localhost(name) {
        return true;
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match bare.parse() {
        Ok(IpAddr::V4(address)) => is_local_v4(address),
        Ok(IpAddr::V6(address)) => is_local_v6(address),
        Err(_) => false,
    }
}

fn ends_with_localhost(name: &str) -> bool {
    let suffix = ".localhost";
    name.len() > suffix.len()
        && name.is_char_boundary(name.len() - suffix.len())
        && name[name.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
}

const fn is_local_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // 100.64.0.0/10 is shared by the customers of a provider, and by some private networks.
    let is_shared = first == 100 && second & 0b1100_0000 == 64;
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || is_shared
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    match address.to_ipv4_mapped() {
        Some(mapped) => is_local_v4(mapped),
        None => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_machines_and_networks_are_local_and_nothing_else_is() {
        for local in [
            "localhost",
            "LOCALHOST.",
            "app.localhost",
            "127.0.0.1",
            "127.8.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.0.1",
            "100.64.0.1",
            "[::1]",
            "::1",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:192.168.1.1]",
        ] {
            assert_eq!(default_scheme(local), "http", "{local}");
        }
        for public in [
            "example.com",
            "localhost.example.com",
            "mylocalhost",
            "172.32.0.1",
            "100.128.0.1",
            "11.0.0.1",
            "8.8.8.8",
            "[2606:4700::1111]",
            "",
            ".localhost",
        ] {
            assert_eq!(default_scheme(public), "https", "{public}");
        }
    }
}
