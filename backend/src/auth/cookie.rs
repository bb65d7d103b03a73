//! The cookies: two of a signed-in browser, and one of a browser that is on its way to a provider. Their names, attributes
//! and lifetimes.

use super::{flow, secret, session};
use chrono::TimeDelta;
use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header};

/// Where the refresh cookie is sent to, and nowhere else.
pub(crate) const REFRESH_PATH: &str = "/api/auth/refresh";

/// Where the cookie of a sign-in is sent to without https: every provider's callback.
const SIGN_IN_PATH: &str = "/api/auth";

/// How many sign-ins one browser may have under way, in as many tabs.
const MOST_SIGN_INS: usize = 5;

/// How cookies are called and marked: by whether browsers reach this server over https.
///
/// With https, a browser takes cookies called `__Host-` only from this very host, and only with the path `/`. The refresh
/// cookie has another path, so it is only `__Secure-`: a page over plain http cannot set it, but another host of the same
/// domain can. That is why of two cookies with one name neither counts, and why a refresh token has to belong to the
/// session that the access cookie names, see [`Auth::refresh`](super::Auth::refresh). A browser without an access cookie
/// can still be given somebody else's session in this way, by somebody who controls such a host.
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
        if self.secure {
            "__Host-pulsecheck_access".into()
        } else {
            format!("pulsecheck_access_{}", self.port)
        }
    }

    fn refresh_name(self) -> String {
        if self.secure {
            "__Secure-pulsecheck_refresh".into()
        } else {
            format!("pulsecheck_refresh_{}", self.port)
        }
    }

    /// What the names of all sign-ins begin with.
    fn sign_in_names(self) -> String {
        if self.secure {
            "__Host-pulsecheck_sign_in_".into()
        } else {
            format!("pulsecheck_sign_in_{}_", self.port)
        }
    }

    /// Each sign-in has a cookie of its own, because several may be under way in one browser.
    fn sign_in_name(self, state: &str) -> String {
        self.sign_in_names() + &secret::encode(&secret::hash(state.as_bytes())[..9])
    }

    fn sign_in_path(self) -> &'static str {
        if self.secure { "/" } else { SIGN_IN_PATH }
    }

    /// The access token that a browser sent.
    pub(crate) fn access(self, headers: &HeaderMap) -> Option<&str> {
        the_only(values(headers, Some(self.access_name())))
    }

    /// The refresh token that a browser sent.
    pub(crate) fn refresh(self, headers: &HeaderMap) -> Option<&str> {
        the_only(values(headers, Some(self.refresh_name())))
    }

    /// Whether a browser sent several refresh tokens, one of which somebody else has put there.
    pub(crate) fn refresh_is_doubtful(self, headers: &HeaderMap) -> bool {
        values(headers, Some(self.refresh_name())).nth(1).is_some()
    }

    /// What a browser keeps of the sign-in that comes back with `state`; of any other that is under way if it has none of
    /// that one, which tells the way of another tab from that of another browser.
    pub(crate) fn sign_in<'h>(
        self,
        headers: &'h HeaderMap,
        state: Option<&str>,
    ) -> Option<&'h str> {
        let own = || values(headers, state.map(|state| self.sign_in_name(state)));
        if own().next().is_some() {
            return the_only(own());
        }
        let names = self.sign_in_names();
        pairs(headers)
            .find(|(name, _)| name.starts_with(&names))
            .map(|(_, value)| value)
    }

    /// Keeps it. Lax, because the browser comes back from another site.
    pub(crate) fn set_sign_in(self, state: &str, flow: &str) -> HeaderValue {
        self.set(
            &self.sign_in_name(state),
            flow,
            self.sign_in_path(),
            flow::KEPT_FOR,
        )
    }

    /// Makes the browser forget it.
    pub(crate) fn clear_sign_in(self, state: &str) -> HeaderValue {
        self.clear_cookie(&self.sign_in_name(state), self.sign_in_path())
    }

    /// Makes the browser forget the sign-ins that were given up, when it begins yet another: browsers send the oldest first.
    pub(crate) fn clear_old_sign_ins(self, headers: &HeaderMap) -> Vec<HeaderValue> {
        let names = self.sign_in_names();
        let known = |name: &str| name.strip_prefix(&names).is_some_and(is_tag);
        let all: Vec<&str> = pairs(headers)
            .map(|(name, _)| name)
            .filter(|name| known(name))
            .collect();
        let old = (all.len() + 1).saturating_sub(MOST_SIGN_INS);
        all[..old]
            .iter()
            .map(|name| self.clear_cookie(name, self.sign_in_path()))
            .collect()
    }

    /// Keeps the access token for as long as its session may live, though it says less and less: an expired one still
    /// names the session that signing out has to end, and the refresh cookie does not reach that address.
    pub(crate) fn set_access(self, token: &str) -> HeaderValue {
        self.set(&self.access_name(), token, "/", session::LIFETIME)
    }

    /// Keeps the refresh token for as long as it works.
    pub(crate) fn set_refresh(self, token: &str) -> HeaderValue {
        self.set(&self.refresh_name(), token, REFRESH_PATH, session::LIFETIME)
    }

    /// Makes the browser forget both.
    pub(crate) fn clear(self) -> [HeaderValue; 2] {
        [
            self.clear_cookie(&self.access_name(), "/"),
            self.clear_cookie(&self.refresh_name(), REFRESH_PATH),
        ]
    }

    fn clear_cookie(self, name: &str, path: &str) -> HeaderValue {
        self.set(name, "", path, TimeDelta::zero())
    }

    fn set(self, name: &str, value: &str, path: &str, max_age: TimeDelta) -> HeaderValue {
        let cookie = Cookie::build((name, value))
            .path(path)
            .max_age(Duration::seconds(max_age.num_seconds()))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .build();
        HeaderValue::from_str(&cookie.to_string()).expect("tokens are base64url and dots")
    }
}

/// The cookies that a browser sent, by name.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    lines.flat_map(Cookie::split_parse).filter_map(|cookie| {
        let cookie = cookie.ok()?;
        Some((cookie.name_raw()?, cookie.value_raw()?))
    })
}

fn values(headers: &HeaderMap, name: Option<String>) -> impl Iterator<Item = &str> {
    pairs(headers)
        .filter(move |(key, _)| name.as_deref() == Some(*key))
        .map(|(_, value)| value)
}

/// Whether it may end the name of a cookie of ours.
fn is_tag(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// None when there are several: a browser sends those that different hosts or paths have set in an order that tells
/// nothing.
fn the_only<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            "a=1; xpulsecheck_access_80=no; pulsecheck_access_80=yes;b="
                .parse()
                .unwrap(),
        );
        headers.append(
            header::COOKIE,
            "__Host-pulsecheck_access=secure".parse().unwrap(),
        );
        let cookies = |secure, port| Cookies { secure, port };
        assert_eq!(cookies(false, 80).access(&headers), Some("yes"));
        assert_eq!(
            cookies(false, 8080).access(&headers),
            None,
            "another server's on the same host"
        );
        assert_eq!(cookies(true, 443).access(&headers), Some("secure"));
        assert_eq!(cookies(false, 80).refresh(&headers), None);
    }

    #[test]
    fn of_two_cookies_with_one_name_neither_counts() {
        let cookies = Cookies {
            secure: true,
            port: 443,
        };
        for name in [
            cookies.access_name(),
            cookies.refresh_name(),
            cookies.sign_in_name("state"),
        ] {
            let read = |headers: &HeaderMap| {
                [
                    cookies.access(headers),
                    cookies.refresh(headers),
                    cookies.sign_in(headers, Some("state")),
                ]
                .map(|v| v.map(str::to_owned))
            };
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, format!("{name}=mine").parse().unwrap());
            assert_eq!(
                read(&headers).into_iter().flatten().collect::<Vec<_>>(),
                ["mine"]
            );
            assert!(!cookies.refresh_is_doubtful(&headers));
            let mut twice = headers.clone();
            twice.append(header::COOKIE, format!("{name}=another's").parse().unwrap());
            assert_eq!(read(&twice), [None, None, None], "{name}");
            assert_eq!(
                cookies.refresh_is_doubtful(&twice),
                name == cookies.refresh_name()
            );
            headers.insert(
                header::COOKIE,
                format!("{name}=a; {name}=mine").parse().unwrap(),
            );
            assert_eq!(read(&headers), [None, None, None], "{name}");
        }
    }

    #[test]
    fn over_https_only_this_host_can_set_the_cookie_of_a_sign_in() {
        let set = |secure| {
            Cookies { secure, port: 443 }
                .set_sign_in("state", "x")
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert!(
            set(true).starts_with("__Host-pulsecheck_sign_in_"),
            "{}",
            set(true)
        );
        assert!(
            set(true).contains("=x; ")
                && set(true).contains("; Path=/;")
                && set(true).contains("; Secure;"),
            "{}",
            set(true)
        );
        assert!(
            set(false).starts_with("pulsecheck_sign_in_443_"),
            "{}",
            set(false)
        );
        assert!(
            set(false).contains("=x; ") && set(false).contains("; Path=/api/auth;"),
            "{}",
            set(false)
        );
    }

    #[test]
    fn several_sign_ins_are_under_way_and_those_given_up_are_forgotten() {
        let cookies = Cookies {
            secure: true,
            port: 443,
        };
        let mut headers = HeaderMap::new();
        let cookie = |state: &str| {
            let set = cookies.set_sign_in(state, &format!("flow-{state}"));
            HeaderValue::from_str(set.to_str().unwrap().split(';').next().unwrap()).unwrap()
        };
        assert_eq!(cookies.sign_in(&headers, Some("0")), None);
        for state in ["0", "1", "2", "3"] {
            headers.append(header::COOKIE, cookie(state));
            assert!(cookies.clear_old_sign_ins(&headers).is_empty());
        }
        assert_eq!(cookies.sign_in(&headers, Some("2")), Some("flow-2"));
        assert_eq!(
            cookies.sign_in(&headers, Some("another")),
            Some("flow-0"),
            "which does not fit"
        );
        assert_eq!(cookies.sign_in(&headers, None), Some("flow-0"));
        headers.append(header::COOKIE, cookie("4"));
        assert_eq!(
            cookies.clear_old_sign_ins(&headers),
            [cookies.clear_sign_in("0")]
        );
    }
}
