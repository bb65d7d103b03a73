//! Names, attributes and lifetimes of the cookies: two for a session, and one for each sign-in by a
//! provider that is in progress.

use super::{login_state, secret, session};
use chrono::TimeDelta;
use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header};

/// The only path that the refresh cookie is sent to.
pub(crate) const REFRESH_PATH: &str = "/api/auth/refresh";

/// The path of a sign-in's cookie without https: it covers every provider's callback.
const SIGN_IN_PATH: &str = "/api/auth";

/// Maximum number of sign-ins in progress in one browser, each in a tab of its own.
const MAX_SIGN_INS: usize = 5;

/// Builds and reads cookies. Their names and flags depend on whether browsers use https.
///
/// With https, a browser accepts `__Host-` cookies only from this very host, and only with the path
/// `/`. The refresh cookie has another path, so it is only `__Secure-`: a page over plain http
/// cannot set it, but another host of the same domain can. Therefore duplicates of a cookie are all
/// ignored, and a refresh token must belong to the session of the access cookie, see
/// [`Auth::refresh`](super::Auth::refresh). Somebody who controls such a host can still plant their
/// own session in a browser that has no access cookie.
///
/// Without https the names end with the port: browsers share cookies between the ports of a host,
/// and two servers on one machine would sign each other's users out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    /// Whether the public URL uses https.
    pub(crate) secure: bool,
    /// The port of the public URL.
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

    /// The common prefix of the cookies of sign-ins.
    fn sign_in_prefix(self) -> String {
        if self.secure {
            "__Host-pulsecheck_sign_in_".into()
        } else {
            format!("pulsecheck_sign_in_{}_", self.port)
        }
    }

    /// Each sign-in has a cookie of its own, because several may be in progress in one browser.
    fn sign_in_name(self, state: &str) -> String {
        self.sign_in_prefix() + &secret::encode(&secret::hash(state.as_bytes())[..9])
    }

    fn sign_in_path(self) -> &'static str {
        if self.secure { "/" } else { SIGN_IN_PATH }
    }

    /// Reads the access token from a request.
    pub(crate) fn access(self, headers: &HeaderMap) -> Option<&str> {
        single(values(headers, Some(self.access_name())))
    }

    /// Reads the refresh token from a request.
    pub(crate) fn refresh(self, headers: &HeaderMap) -> Option<&str> {
        single(values(headers, Some(self.refresh_name())))
    }

    /// Whether a request has several refresh cookies, one of which somebody else has set.
    pub(crate) fn is_refresh_ambiguous(self, headers: &HeaderMap) -> bool {
        values(headers, Some(self.refresh_name())).nth(1).is_some()
    }

    /// Reads the login state of the sign-in with `state`. Without one, returns that of any other
    /// sign-in in progress, which tells a mix-up of tabs from another browser.
    pub(crate) fn sign_in<'h>(
        self,
        headers: &'h HeaderMap,
        state: Option<&str>,
    ) -> Option<&'h str> {
        let own = || values(headers, state.map(|state| self.sign_in_name(state)));
        if own().next().is_some() {
            return single(own());
        }
        let names = self.sign_in_prefix();
        pairs(headers)
            .find(|(name, _)| name.starts_with(&names))
            .map(|(_, value)| value)
    }

    /// Sets the cookie of a sign-in. It is `SameSite=Lax`, because the browser comes back from
    /// another site.
    pub(crate) fn set_sign_in(self, state: &str, login: &str) -> HeaderValue {
        self.set(
            &self.sign_in_name(state),
            login,
            self.sign_in_path(),
            login_state::COOKIE_LIFETIME,
        )
    }

    /// Clears the cookie of a sign-in.
    pub(crate) fn clear_sign_in(self, state: &str) -> HeaderValue {
        self.clear_cookie(&self.sign_in_name(state), self.sign_in_path())
    }

    /// Clears the cookies of abandoned sign-ins when another begins. Browsers send the oldest
    /// first.
    pub(crate) fn clear_old_sign_ins(self, headers: &HeaderMap) -> Vec<HeaderValue> {
        let names = self.sign_in_prefix();
        let is_ours = |name: &str| name.strip_prefix(&names).is_some_and(is_tag);
        let all: Vec<&str> = pairs(headers)
            .map(|(name, _)| name)
            .filter(|name| is_ours(name))
            .collect();
        let old = (all.len() + 1).saturating_sub(MAX_SIGN_INS);
        all[..old]
            .iter()
            .map(|name| self.clear_cookie(name, self.sign_in_path()))
            .collect()
    }

    /// Sets the access cookie for the lifetime of the session, which is longer than that of the
    /// token: an expired token still names the session that signing out ends, and the refresh
    /// cookie is not sent there.
    pub(crate) fn set_access(self, token: &str) -> HeaderValue {
        self.set(&self.access_name(), token, "/", session::LIFETIME)
    }

    /// Sets the refresh cookie for the lifetime of the session.
    pub(crate) fn set_refresh(self, token: &str) -> HeaderValue {
        self.set(&self.refresh_name(), token, REFRESH_PATH, session::LIFETIME)
    }

    /// Clears both cookies of a session.
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

/// Iterates over the cookies of a request as names and values.
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

/// Whether `text` can be the end of the name of one of our cookies.
fn is_tag(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Returns the value if it is the only one. The order of cookies that different hosts or paths have
/// set does not reveal which is ours.
fn single<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
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
            assert!(!cookies.is_refresh_ambiguous(&headers));
            let mut twice = headers.clone();
            twice.append(header::COOKIE, format!("{name}=another's").parse().unwrap());
            assert_eq!(read(&twice), [None, None, None], "{name}");
            assert_eq!(
                cookies.is_refresh_ambiguous(&twice),
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
