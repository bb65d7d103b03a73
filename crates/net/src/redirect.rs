//! Resolves redirects. A redirect from `https` to `http` is followed too: it is weak, but not down.

use domain::Cause;
use http::Uri;
use http::header::{HeaderMap, HeaderValue, LOCATION};
use url::Url;

/// Number of redirects that are followed unless somebody chose another.
pub const DEFAULT_LIMIT: u8 = 10;

/// Maximum length of a `Location` that is followed, in bytes.
const MAX_LOCATION: usize = 8192;
/// Maximum length of a `Location` in a message, in characters.
const MAX_QUOTED: usize = 200;

/// Returns whether `code` is a redirect. Other codes from 300 to 399 are not.
pub fn is_redirect(code: u16) -> bool {
    matches!(code, 301 | 302 | 303 | 307 | 308)
}

/// Returns the target of a redirect from `from`, without credentials and fragment.
///
/// # Errors
/// Returns [`Cause::BadRedirect`] if there is no target that can be requested.
pub fn next(from: &Url, headers: &HeaderMap) -> Result<Url, Cause> {
    let location = location(headers)?;
    let bad = || Cause::BadRedirect {
        location: quotable(location),
    };
    if location.is_empty() || location.len() > MAX_LOCATION {
        return Err(bad());
    }
    let url = from.join(&escape_non_ascii(location)).map_err(|_| bad())?;
    let can_be_requested =
        matches!(url.scheme(), "http" | "https") && url.as_str().parse::<Uri>().is_ok();
    if !can_be_requested {
        return Err(bad());
    }
    Ok(bare(url))
}

/// Returns the cause for one redirect more than `limit`, which was to `last`.
pub fn too_many(limit: u8, last: &Url) -> Cause {
    Cause::TooManyRedirects {
        limit,
        last: quotable(last.as_str().as_bytes()),
    }
}

/// Returns the `Location`, empty if there is none.
///
/// Several different ones are refused, as browsers do: whoever can add a line to a head must not
/// choose where people are led.
fn location(headers: &HeaderMap) -> Result<&[u8], Cause> {
    let mut found = headers.get_all(LOCATION).iter().map(HeaderValue::as_bytes);
    let first = found.next().unwrap_or_default();
    match found.find(|other| *other != first) {
        None => Ok(first),
        Some(other) => Err(Cause::BadRedirect {
            location: quotable(&[first, b" and ", other].concat()),
        }),
    }
}

/// Escapes the bytes beyond ASCII, whatever their character set, as Chromium does. UTF-8 in the
/// host is unescaped again and becomes an internationalized name.
fn escape_non_ascii(location: &[u8]) -> String {
    let mut out = String::with_capacity(location.len());
    for byte in location {
        if byte.is_ascii() {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Removes credentials, which would be sent as a header, and the fragment from `url`.
pub fn bare(mut url: Url) -> Url {
    if !url.username().is_empty() || url.password().is_some() {
        // Fails only for URLs without a host; http and https URLs have one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    if url.fragment().is_some() {
        url.set_fragment(None);
    }
    url
}

fn quotable(location: &[u8]) -> String {
    String::from_utf8_lossy(&location[..location.len().min(4 * MAX_QUOTED)])
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_QUOTED)
        .collect()
}
