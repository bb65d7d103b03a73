//! The cookies: two of a signed-in browser, and one of a browser that is on its way to a provider. Their names, attributes
//! and lifetimes.

use super::{flow, session};
use http::{HeaderMap, HeaderValue, header};

/// Where the refresh cookie is sent to, and nowhere else.
pub(crate) const REFRESH_PATH: &str = "/api/auth/refresh";

/// Where the cookie of a sign-in is sent to: every provider's callback.
const SIGN_IN_PATH: &str = "/api/auth";

/// How cookies are called and marked: by whether browsers reach this server over https.
///
/// The `__Host-` and `__Secure-` prefixes make a browser refuse a cookie of that name that another host of the same
/// domain, or a page over plain http, wants to set. `__Host-` asks for the path `/`, so the others have the other.
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

    fn sign_in_name(self) -> String {
        if self.secure { "__Secure-pulsecheck_sign_in".into() } else { format!("pulsecheck_sign_in_{}", self.port) }
    }

    /// The access token that a browser sent.
    pub(crate) fn access(self, headers: &HeaderMap) -> Option<&str> {
        value(headers, &self.access_name())
    }

    /// The refresh token that a browser sent.
    pub(crate) fn refresh(self, headers: &HeaderMap) -> Option<&str> {
        value(headers, &self.refresh_name())
    }

    /// What a browser keeps while it is at a provider.
    pub(crate) fn sign_in(self, headers: &HeaderMap) -> Option<&str> {
        value(headers, &self.sign_in_name())
    }

    /// Keeps it. Lax, because the browser comes back from another site.
    pub(crate) fn set_sign_in(self, flow: &str) -> HeaderValue {
        self.set(&self.sign_in_name(), flow, SIGN_IN_PATH, flow::KEPT_FOR.num_seconds())
    }

    /// Makes the browser forget it.
    pub(crate) fn clear_sign_in(self) -> HeaderValue {
        self.set(&self.sign_in_name(), "", SIGN_IN_PATH, 0)
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
