//! The cookies of one check: kept from hop to hop of its redirects, and gone with it.

use cookie::Cookie;
use cookie_store::CookieStore;
use http::HeaderMap;
use http::header::{HeaderValue, SET_COOKIE};
use url::{Host, Url};

/// Maximum number of cookies, as in Chromium for each domain.
const MAX_COOKIES: usize = 180;

/// Maximum size of name and value of a cookie together, in bytes, as in browsers.
const MAX_COOKIE_BYTES: usize = 4096;

/// Maximum size of the `Cookie` header of a request, in bytes. Further cookies are left out.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// Cookies by domain and path, as a browser keeps them (RFC 6265).
#[derive(Debug, Default)]
pub struct CookieJar {
    store: CookieStore,
}

impl CookieJar {
    /// Keeps the cookies of a response from `url`.
    pub fn keep(&mut self, url: &Url, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let text = String::from_utf8_lossy(header.as_bytes());
            let Ok(cookie) = Cookie::parse(text.into_owned()) else {
                continue;
            };
            if let Some(cookie) = acceptable(cookie, url) {
                self.insert(&cookie, url);
            }
        }
    }

    fn insert(&mut self, cookie: &Cookie<'static>, url: &Url) {
        let is_full = self.store.iter_any().count() >= MAX_COOKIES;
        // A full jar still takes changes: to delete or renew a cookie is part of many sign-ins.
        let is_known = || {
            let mut known = self.store.matches(url).into_iter();
            known.any(|kept| kept.name() == cookie.name())
        };
        if !is_full || is_known() {
            // The domain does not match: the cookie is not for this host.
            let _ = self.store.insert_raw(cookie, url);
        }
    }

    /// Returns the `Cookie` header for a request of `url`; `None` if there are no cookies for it.
    #[must_use]
    pub fn header(&self, url: &Url) -> Option<HeaderValue> {
        let mut cookies = self.store.matches(url);
        // The most specific path first (RFC 6265, 5.4).
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let mut text = String::new();
        for cookie in cookies {
            let (name, value) = cookie.name_value();
            if text.len() + name.len() + value.len() + 3 > MAX_HEADER_BYTES {
                break;
            }
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        if text.is_empty() {
            return None;
        }
        HeaderValue::from_bytes(text.as_bytes()).ok()
    }
}

/// Returns `cookie` as a browser keeps it from `url`; `None` if it refuses it.
fn acceptable(mut cookie: Cookie<'static>, url: &Url) -> Option<Cookie<'static>> {
    let (name, value) = cookie.name_value();
    if name.is_empty() || name.len() + value.len() > MAX_COOKIE_BYTES {
        return None;
    }
    let has_control = |text: &str| text.chars().any(|c| c.is_control() && c != '\t');
    if has_control(name) || has_control(value) {
        return None;
    }
    let is_secure = cookie.secure() == Some(true);
    if is_secure && url.scheme() != "https" {
        return None;
    }
    let prefix = |prefix: &str| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if prefix("__Secure-") && !is_secure {
        return None;
    }
    let has_domain = cookie.domain().is_some_and(|domain| !domain.is_empty());
    if prefix("__Host-") && (!is_secure || has_domain || cookie.path() != Some("/")) {
        return None;
    }
    if let Some(domain) = cookie.domain() {
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        let is_own = url.host_str() == Some(domain.as_str());
        let is_ip = !matches!(url.host(), Some(Host::Domain(_)));
        if is_own && (is_ip || is_public_suffix(&domain)) {
            // For this host alone (RFC 6265, 5.3, step 5).
            cookie.unset_domain();
        } else if is_ip || is_public_suffix(&domain) {
            return None;
        }
    }
    Some(cookie)
}

/// Returns whether everybody can get a name below `domain`, so that it must not hold cookies.
fn is_public_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix == domain)
}

#[cfg(test)]
#[path = "cookies/tests.rs"]
mod tests;
