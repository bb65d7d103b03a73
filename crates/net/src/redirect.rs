//! Resolves redirects. A redirect from `https` to `http` is followed too: it is weak, but not down.

use domain::Cause;
use reqwest::header::{HeaderMap, HeaderValue, LOCATION};
use url::Url;

/// Maximum number of redirects that are followed.
pub const LIMIT: u8 = 5;

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
    let location = headers
        .get(LOCATION)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let bad = || Cause::BadRedirect {
        location: quotable(location),
    };
    if location.is_empty() || location.len() > MAX_LOCATION {
        return Err(bad());
    }
    let location = std::str::from_utf8(location).map_err(|_| bad())?;
    let url = from.join(location).map_err(|_| bad())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad());
    }
    Ok(bare(url))
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
