//! Protects against requests that another site makes a browser send.
//!
//! Browsers send cookies along with such requests (CSRF), so a request with cookies must come from
//! this server's own pages. A name that is made to resolve to this machine (DNS rebinding) lets
//! another site's page look like one of them, so a server on the loopback interface accepts only
//! its own names.

use super::Server;
use super::error::ApiError;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Uri, header};
use std::net::IpAddr;
use std::sync::Arc;
use url::{Host, Origin, Url};

/// The names by which clients may call this server.
#[derive(Debug, Clone)]
pub(super) struct ServerNames {
    public_url: Url,
    loopback: bool,
}

impl ServerNames {
    /// `loopback` says whether only this machine can reach the server.
    pub(super) const fn new(public_url: Url, loopback: bool) -> Self {
        Self {
            public_url,
            loopback,
        }
    }

    pub(super) const fn public_url(&self) -> &Url {
        &self.public_url
    }

    /// Whether the request came from this server's own pages.
    pub(super) fn is_own_page(&self, headers: &HeaderMap) -> bool {
        match (
            header_text(headers, header::ORIGIN.as_str()),
            header_text(headers, "sec-fetch-site"),
        ) {
            (Some(origin), _) => self.is_own_origin(origin, headers),
            // Browsers that leave out Origin in a request to the page's own origin send this header
            // instead, and pages cannot set it.
            (None, Some(site)) => site == "same-origin" || site == "none",
            // Over plain http browsers may send neither, but Referer still names the page.
            (None, None) => header_text(headers, header::REFERER.as_str())
                .is_some_and(|page| self.is_own_origin(page, headers)),
        }
    }

    /// Whether a browser says that the request came from another site's page. Programs other than
    /// browsers say nothing.
    pub(super) fn is_from_foreign_page(&self, headers: &HeaderMap) -> bool {
        let is_from_a_page = [
            header::ORIGIN.as_str(),
            "sec-fetch-site",
            header::REFERER.as_str(),
        ]
        .iter()
        .any(|name| headers.contains_key(*name));
        is_from_a_page && !self.is_own_page(headers)
    }

    /// Whether `origin` is this server's: the public one or, on the loopback interface, the one in
    /// this request's `Host`, because a machine has several loopback names and its ports may be
    /// forwarded.
    fn is_own_origin(&self, origin: &str, headers: &HeaderMap) -> bool {
        let Ok(origin) = Url::parse(origin).map(|url| url.origin()) else {
            return false;
        };
        let requested = || {
            let host = header_text(headers, header::HOST.as_str())
                .filter(|host| self.loopback && is_loopback(host))?;
            Url::parse(&format!("http://{host}")).ok()
        };
        matches!(origin, Origin::Tuple(..))
            && (origin == self.public_url.origin()
                || requested().is_some_and(|url| origin == url.origin()))
    }

    /// Whether the request calls this server by a loopback name that is not the public one.
    pub(super) fn is_other_loopback_name(&self, headers: &HeaderMap) -> bool {
        let Some(host) = header_text(headers, header::HOST.as_str())
            .filter(|host| self.loopback && is_loopback(host))
        else {
            return false;
        };
        let requested = Url::parse(&format!("{}://{host}", self.public_url.scheme()));
        requested.is_ok_and(|url| url.host() != self.public_url.host())
    }

    fn is_own_name(&self, host: &str) -> bool {
        if !self.loopback || is_loopback(host) {
            return true;
        }
        let host = Url::parse(&format!("{}://{host}", self.public_url.scheme()));
        host.is_ok_and(|host| host.origin() == self.public_url.origin())
    }
}

/// Refuses requests for a host name that is not this server's.
pub(super) async fn check_host(
    State(server): State<Arc<Server>>,
    request: Request,
    next: Next,
) -> Response {
    if request.headers().get_all(header::HOST).iter().count() > 1 {
        // A proxy in front may have read the other one (RFC 9112, section 3.2).
        return ApiError::bad_input("the request has more than one Host header").into_response();
    }
    match requested_host(request.uri(), request.headers()) {
        Some(host) if server.names.is_own_name(host) => next.run(request).await,
        Some(_) => {
            let message = format!(
                "this server has another name: open {}, or set PULSECHECK_PUBLIC_URL to the name that you use",
                server.names.public_url()
            );
            ApiError::misdirected(message).into_response()
        }
        None => ApiError::bad_input("the request has no host").into_response(),
    }
}

fn requested_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    uri.authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| header_text(headers, header::HOST.as_str()))
}

/// Whether `host[:port]` is this machine no matter how names are resolved.
fn is_loopback(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}")) else {
        return false;
    };
    // Only a host and a port: in "localhost@evil.example" the host is evil.example.
    if !url.username().is_empty()
        || url.password().is_some()
        || url.path() != "/"
        || url.query().is_some()
    {
        return false;
    }
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(loopback: bool) -> ServerNames {
        ServerNames::new("https://pulse.example.com".parse().unwrap(), loopback)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_requests_from_its_own_pages_are_accepted() {
        for (own, sent) in [
            (true, &[("origin", "https://pulse.example.com")][..]),
            (true, &[("origin", "https://pulse.example.com:443")]),
            (
                true,
                &[
                    ("origin", "http://localhost:8080"),
                    ("host", "localhost:8080"),
                ],
            ),
            (
                true,
                &[("origin", "http://[::1]:9000"), ("host", "[::1]:9000")],
            ),
            (true, &[("sec-fetch-site", "same-origin")]),
            (true, &[("sec-fetch-site", "none")]),
            (true, &[("referer", "https://pulse.example.com/settings")]),
            (
                true,
                &[
                    ("referer", "http://localhost:8080/settings"),
                    ("host", "localhost:8080"),
                ],
            ),
            (false, &[]),
            (
                false,
                &[(
                    "referer",
                    "https://evil.example/?https://pulse.example.com/",
                )],
            ),
            (
                false,
                &[
                    ("referer", "https://pulse.example.com/"),
                    ("sec-fetch-site", "cross-site"),
                ],
            ),
            (
                false,
                &[
                    ("referer", "https://pulse.example.com/"),
                    ("origin", "null"),
                ],
            ),
            (false, &[("origin", "null")]),
            (false, &[("origin", "https://evil.example")]),
            (false, &[("origin", "http://pulse.example.com")]),
            (
                false,
                &[("origin", "https://pulse.example.com.evil.example")],
            ),
            (
                false,
                &[("origin", "https://evil.example"), ("host", "evil.example")],
            ),
            (
                false,
                &[
                    ("origin", "https://evil.example"),
                    ("sec-fetch-site", "same-origin"),
                ],
            ),
            (
                false,
                &[
                    ("origin", "http://localhost:3000"),
                    ("host", "localhost:8080"),
                ],
            ),
            (false, &[("sec-fetch-site", "same-site")]),
            (false, &[("sec-fetch-site", "cross-site")]),
        ] {
            assert_eq!(names(true).is_own_page(&headers(sent)), own, "{sent:?}");
        }
    }

    #[test]
    fn a_request_of_no_page_is_not_from_a_foreign_one() {
        for (foreign, sent) in [
            (false, &[][..]),
            (false, &[("origin", "https://pulse.example.com")]),
            (false, &[("referer", "https://pulse.example.com/settings")]),
            (false, &[("sec-fetch-site", "none")]),
            (true, &[("origin", "https://evil.example")]),
            (true, &[("origin", "null")]),
            (true, &[("referer", "https://evil.example/")]),
            (true, &[("sec-fetch-site", "cross-site")]),
            (true, &[("sec-fetch-site", "same-site")]),
        ] {
            let found = names(true).is_from_foreign_page(&headers(sent));
            assert_eq!(found, foreign, "{sent:?}");
        }
    }

    #[test]
    fn away_from_loopback_the_public_url_is_the_only_own_origin() {
        let sent = headers(&[
            ("origin", "http://localhost:8080"),
            ("host", "localhost:8080"),
        ]);
        assert!(!names(false).is_own_page(&sent));
    }

    #[test]
    fn on_loopback_it_accepts_loopback_names_and_its_public_one() {
        for (is_own, host) in [
            (true, "localhost"),
            (true, "localhost:8080"),
            (true, "127.0.0.1:1"),
            (true, "[::1]:8080"),
            (true, "pulse.localhost"),
            (true, "pulse.example.com"),
            (true, "PULSE.example.com:443"),
            (false, "evil.example"),
            (false, "evil.example:8080"),
            (false, "localhost.evil.example"),
            (false, "localhost@evil.example"),
            (false, "10.0.0.1"),
            (false, "0.0.0.0:8080"),
            (false, ""),
        ] {
            assert_eq!(names(true).is_own_name(host), is_own, "{host}");
        }
        assert!(
            names(false).is_own_name("10.0.0.1"),
            "a health check may call it by its address"
        );
    }
}
