//! Where a request comes from: the other end of its connection, unless that is a reverse proxy that the operator trusts to
//! say who asked it.

use super::{Server, too_often};
use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that counts as the sender's; every request has it among its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sender(pub(super) IpAddr);

/// Finds it.
pub(super) async fn find(
    State(server): State<Arc<Server>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let from = Sender(sender(
            peer.ip(),
            request.headers(),
            &server.trusted_proxies,
        ));
        request.extensions_mut().insert(from);
    }
    next.run(request).await
}

/// Counts requests to addresses that do not count by themselves.
pub(super) async fn limit(
    State(server): State<Arc<Server>>,
    Extension(from): Extension<Sender>,
    request: Request,
    next: Next,
) -> Response {
    match server.rates.request(from.0) {
        Ok(()) => next.run(request).await,
        Err(wait) => too_often(wait).into_response(),
    }
}

/// The last address that no trusted proxy has: each proxy adds, behind what it was told, who told it.
fn sender(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut sender = peer.to_canonical();
    let lines: Vec<_> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    let mut told = lines.iter().rev().flat_map(|line| line.rsplit(','));
    while is_trusted(&sender) {
        // What cannot be read may hide anybody: then it is the proxy that counts.
        let Some(before) = told.next().and_then(parse) else {
            break;
        };
        sender = before;
    }
    sender
}

/// An address, with a port behind it or without.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || {
        text.strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text)
            .parse()
            .ok()
    };
    let ip: IpAddr =
        bare().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_trusted_proxies_are_believed_and_only_about_who_asked_them() {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"]
            .map(|net| net.parse().unwrap())
            .into();
        for (peer, forwarded, expected) in [
            ("203.0.113.9", &[][..], "203.0.113.9"),
            ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("fd00::2", &["2001:db8::1"], "2001:db8::1"),
            // What the client itself wrote stands in front.
            ("10.0.0.1", &["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["1.2.3.4, 198.51.100.1, 10.0.0.2"],
                "198.51.100.1",
            ),
            ("10.0.0.1", &["10.1.1.1, 10.0.0.2"], "10.1.1.1"),
            ("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, "], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            // A line that is no text hides what stands in front of it.
            ("10.0.0.1", &["1.2.3.4", "\u{fc}"], "10.0.0.1"),
            (
                "10.0.0.1",
                &["1.2.3.4", "\u{fc}", "198.51.100.1"],
                "198.51.100.1",
            ),
            ("10.0.0.1", &["1.2.3.4", "\u{fc}", "10.0.0.2"], "10.0.0.2"),
        ] {
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append(
                    FORWARDED_FOR,
                    HeaderValue::from_bytes(line.as_bytes()).unwrap(),
                );
            }
            let found = sender(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(
                found,
                expected.parse::<IpAddr>().unwrap(),
                "{peer} {forwarded:?}"
            );
            assert_eq!(
                sender(peer.parse().unwrap(), &headers, &[]),
                peer.parse::<IpAddr>().unwrap().to_canonical()
            );
        }
    }
}
