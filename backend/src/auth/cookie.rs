//! The two cookies of a signed-in browser: their names, attributes and lifetimes.

use super::session;
use http::{HeaderMap, HeaderValue, header};

/// Where the refresh cookie is sent to, and nowhere else.
pub(crate) const REFRESH_PATH: &str = "/api/auth/refresh";

/// How cookies are called and marked: by whether browsers reach this server over https.
///
/// The `__Host-` and `__Secure-` prefixes make a browser refuse a cookie of that name that another host of the same
/// domain, or a page over plain http, wants to set. `__Host-` asks for the path `/`, so the refresh cookie has the other.
///
/// Without https the names end with the port: browsers keep cookies by host and not by port, and two servers on one machine
/// would sign each other's users out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    /// Whether the public URL is https.
    pub(crate) secure: bool,
    /// The public URL's.
    pub(crate) port: u16,
}

impl Cookies {
    fn access_name(self) -> String {
        if self.secure { "__Host-pulsecheck_access".into() } else { format!("pulsecheck_access_{}", self.port) }
    }

    fn refresh_name(self) -> String {
        if self.secure { "__Secure-pulsecheck_refresh".into() } else { format!("pulsecheck_refresh_{}", self.port) }
    }

    /// The access token that a browser sent.
    pub(crate) fn access(self, headers: &HeaderMap) -> Option<&str> {
        value(headers, &self.access_name())
    }

    /// The refresh token that a browser sent.
    pub(crate) fn refresh(self, headers: &HeaderMap) -> Option<&str> {
        value(headers, &self.refresh_name())
    }

    /// Keeps the access token for as long as its session may live, though it says less and less: an expired one still
    /// names the session that signing out has to end, and the refresh cookie does not reach that address.
    pub(crate) fn set_access(self, token: &str) -> HeaderValue {
        self.set(&self.access_name(), token, "/", session::LIFETIME.num_seconds())
    }

    /// Keeps the refresh token for as long as it works.
    pub(crate) fn set_refresh(self, token: &str) -> HeaderValue {
        self.set(&self.refresh_name(), token, REFRESH_PATH, session::LIFETIME.num_seconds())
    }

    /// Makes the browser forget both.
    pub(crate) fn clear(self) -> [HeaderValue; 2] {
        [self.set(&self.access_name(), "", "/", 0), self.set(&self.refresh_name(), "", REFRESH_PATH, 0)]
    }

    fn set(self, name: &str, value: &str, path: &str, max_age: i64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        HeaderValue::from_str(&format!(
            "{name}={value}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}"
        ))
        .expect("tokens are base64url and dots")
    }
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = pairs.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; xpulsecheck_access_80=no; pulsecheck_access_80=yes;b=".parse().unwrap());
        headers.append(header::COOKIE, "__Host-pulsecheck_access=secure".parse().unwrap());
        let cookies = |secure, port| Cookies { secure, port };
        assert_eq!(cookies(false, 80).access(&headers), Some("yes"));
        assert_eq!(cookies(false, 8080).access(&headers), None, "another server's on the same host");
        assert_eq!(cookies(true, 443).access(&headers), Some("secure"));
        assert_eq!(cookies(false, 80).refresh(&headers), None);
    }
}
