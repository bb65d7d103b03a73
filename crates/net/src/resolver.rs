//! DNS resolver that applies the guard. Clients for user-chosen addresses must use no other.
//!
//! Calls the system's `getaddrinfo` for every request without a cache, since the lookup is part of
//! the check. Uses `dns-lookup`, because the standard library reports failures only as localized text.

use crate::exchange;
use crate::guard::Guard;
use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType};
use domain::cause::Phase;
use futures::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Semaphore;
use tower::Service;

/// Maximum number of concurrent lookups, each of which blocks a thread. A lookup runs until the
/// system's own timeout, even if its check has given up, and other blocking work needs threads too.
const MAX_LOOKUPS: usize = 256;

/// Error of a name lookup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The name does not exist, or has no address.
    #[error("the name does not exist or has no address")]
    NotFound,
    /// The name servers failed, perhaps temporarily.
    #[error("{0}")]
    Failed(String),
    /// A local fault: this machine is offline, or out of memory or files.
    #[error("{0}")]
    Local(String),
}

/// Source of name lookups.
#[derive(Debug, Clone, Default)]
pub enum LookupSource {
    /// The system's resolver.
    #[default]
    System,
    /// Fixed answers, for tests. Other names do not exist.
    Table(Arc<HashMap<String, Result<Vec<IpAddr>, LookupError>>>),
    /// Lookups never finish, for tests.
    Never,
}

/// Resolver for the HTTP client that returns only addresses that its guard allows.
#[derive(Debug, Clone)]
pub struct GuardedResolver {
    guard: Guard,
    names: LookupSource,
    lookups: Arc<Semaphore>,
}

impl GuardedResolver {
    /// Creates a resolver that looks names up in `names` and applies `guard`.
    #[must_use]
    pub fn new(guard: Guard, names: LookupSource) -> Self {
        Self {
            guard,
            names,
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
        }
    }

    /// Returns the addresses of `name`, with port 0, in the order to try them.
    ///
    /// # Errors
    /// Returns a [`LookupError`], or [`Refused`](crate::Refused) if any address is not allowed.
    pub async fn addresses(
        &self,
        name: &str,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let addresses = match &self.names {
            // A trailing dot disables the search domains, which would reveal internal names to users.
            LookupSource::System if self.guard == Guard::PublicOnly && !name.ends_with('.') => {
                self.lookup_with_system(format!("{name}.")).await?
            }
            LookupSource::System => self.lookup_with_system(name.to_owned()).await?,
            LookupSource::Table(table) => {
                let ips = table
                    .get(name)
                    .cloned()
                    .unwrap_or(Err(LookupError::NotFound))?;
                ips.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()
            }
            LookupSource::Never => std::future::pending().await,
        };
        self.guard
            .check_resolved(name, addresses.iter().map(SocketAddr::ip))?;
        Ok(addresses)
    }

    async fn lookup_with_system(&self, name: String) -> Result<Vec<SocketAddr>, LookupError> {
        exchange::note(|exchange| exchange.waits_for_lookup = true);
        let permit = Arc::clone(&self.lookups)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        exchange::note(|exchange| exchange.waits_for_lookup = false);
        let lookup = tokio::task::spawn_blocking(move || {
            // Held until the lookup ends, even if its check has already given up.
            let _permit = permit;
            system_lookup(&name)
        });
        lookup.await.unwrap_or_else(|error| {
            Err(LookupError::Local(format!("the lookup broke off: {error}")))
        })
    }
}

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.clone();
        Box::pin(async move {
            exchange::enter(Phase::Dns);
            let addresses = resolver.addresses(name.as_str()).await?;
            exchange::enter(Phase::Connect);
            Ok(addresses.into_iter())
        })
    }
}

fn system_lookup(name: &str) -> Result<Vec<SocketAddr>, LookupError> {
    let hints = AddrInfoHints {
        socktype: SockType::Stream.into(),
        ..AddrInfoHints::default()
    };
    let found = dns_lookup::getaddrinfo(Some(name), None, Some(hints))
        .map_err(|error| lookup_error(&error))?;
    // Entries of other address families than IPv4 and IPv6 are errors here; they are of no use.
    let addresses: Vec<SocketAddr> = found
        .filter_map(Result::ok)
        .map(|entry| entry.sockaddr)
        .collect();
    if addresses.is_empty() {
        return Err(LookupError::NotFound);
    }
    Ok(drop_unroutable_ipv6(addresses))
}

/// Drops IPv6 addresses without a route if IPv4 addresses come first. The last address that is tried
/// determines the reported error, which would be "no route" instead of the real one.
fn drop_unroutable_ipv6(mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    if addresses.first().is_some_and(SocketAddr::is_ipv4) {
        addresses.retain(|address| address.is_ipv4() || has_route(*address));
    }
    addresses
}

/// Returns whether this machine has no route to the internet. Failures without one say nothing about
/// the target.
pub fn is_offline() -> bool {
    // Connecting a UDP socket only consults the routing table; nothing is sent.
    let somewhere = [
        IpAddr::from([1, 1, 1, 1]),
        Ipv6Addr::from([0x2606_u16, 0x4700, 0, 0, 0, 0, 0, 0x1111]).into(),
    ];
    !somewhere
        .into_iter()
        .any(|ip| has_route(SocketAddr::new(ip, 53)))
}

fn has_route(mut to: SocketAddr) -> bool {
    let any: IpAddr = if to.is_ipv4() {
        [0; 4].into()
    } else {
        [0_u16; 8].into()
    };
    if to.port() == 0 {
        to.set_port(53);
    }
    UdpSocket::bind((any, 0))
        .and_then(|socket| socket.connect(to))
        .is_ok()
}

fn lookup_error(error: &dns_lookup::LookupError) -> LookupError {
    match error.kind() {
        LookupErrorKind::NoName | LookupErrorKind::NoData => LookupError::NotFound,
        LookupErrorKind::Memory => LookupError::Local("out of memory".into()),
        LookupErrorKind::System | LookupErrorKind::IO => LookupError::Local(error.to_string()),
        _ if is_offline() => {
            LookupError::Local("this machine is not connected to a network".into())
        }
        LookupErrorKind::Again => LookupError::Failed("the name servers gave no answer".into()),
        _ => LookupError::Failed("the name servers gave no usable answer".into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Refused;

    const PUBLIC: &str = "93.184.215.14";

    fn resolver(guard: Guard, answer: Result<&[&str], LookupError>) -> GuardedResolver {
        let answer = answer.map(|ips| ips.iter().map(|ip| ip.parse().unwrap()).collect());
        GuardedResolver::new(
            guard,
            LookupSource::Table(Arc::new(HashMap::from([("target.test".into(), answer)]))),
        )
    }

    #[tokio::test]
    async fn a_name_is_refused_if_any_of_its_addresses_is() {
        for answer in [
            vec!["127.0.0.1"],
            vec![PUBLIC, "10.0.0.1"],
            vec!["192.168.1.1", PUBLIC],
            vec![PUBLIC, "::1"],
            vec!["2606:4700::1111", "fd00::1"],
            vec!["::ffff:10.0.0.1"],
            vec!["64:ff9b::a00:1"],
            vec![PUBLIC, PUBLIC, PUBLIC, "169.254.169.254"],
        ] {
            let refused = resolver(Guard::PublicOnly, Ok(&answer))
                .addresses("target.test")
                .await
                .unwrap_err();
            assert_eq!(
                *refused.downcast::<Refused>().unwrap(),
                Refused::Name("target.test".into()),
                "{answer:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_with_public_addresses_alone_passes_with_all_of_them() {
        let addresses = resolver(Guard::PublicOnly, Ok(&[PUBLIC, "2606:4700::1111"]))
            .addresses("target.test")
            .await
            .unwrap();
        assert_eq!(
            addresses,
            [
                SocketAddr::new(PUBLIC.parse().unwrap(), 0),
                "[2606:4700::1111]:0".parse().unwrap()
            ]
        );
    }

    #[tokio::test]
    async fn where_private_targets_are_allowed_a_name_still_cannot_lead_to_credentials() {
        let lookup = |answer: &'static [&str]| async move {
            resolver(Guard::AllowPrivate, Ok(answer))
                .addresses("target.test")
                .await
        };
        assert_eq!(lookup(&["10.0.0.1", "::1"]).await.unwrap().len(), 2);
        assert!(
            lookup(&["10.0.0.1", "169.254.169.254"])
                .await
                .unwrap_err()
                .is::<Refused>()
        );
    }

    #[tokio::test]
    async fn a_lookup_that_fails_says_why() {
        let failed = LookupError::Failed("silence".into());
        let error = resolver(Guard::PublicOnly, Err(failed.clone()))
            .addresses("target.test")
            .await
            .unwrap_err();
        assert_eq!(*error.downcast::<LookupError>().unwrap(), failed);
        let error = resolver(Guard::PublicOnly, Ok(&[PUBLIC]))
            .addresses("other.test")
            .await
            .unwrap_err();
        assert_eq!(
            *error.downcast::<LookupError>().unwrap(),
            LookupError::NotFound
        );
    }

    #[tokio::test]
    async fn the_system_knows_this_machine_and_the_guard_refuses_it() {
        let lookup = |guard| async move {
            GuardedResolver::new(guard, LookupSource::System)
                .addresses("localhost")
                .await
        };
        assert!(
            lookup(Guard::AllowPrivate)
                .await
                .unwrap()
                .iter()
                .all(|address| address.ip().is_loopback())
        );
        lookup(Guard::PublicOnly).await.unwrap_err();
    }
}
