//! Where a redirect leads. To another scheme as well: from `https` to `http` is a weakness, but it is not down.

use domain::Cause;
use reqwest::header::{HeaderMap, HeaderValue, LOCATION};
use url::Url;

/// The most redirects that are followed.
pub const LIMIT: u8 = 5;

/// The longest address that is followed, in bytes; the longest that is quoted, in characters.
const MAX_LOCATION: usize = 8192;
const MAX_QUOTED: usize = 200;

/// Whether an answer with `code` asks to go elsewhere. Other codes from 300 to 399 are answers of their own.
pub fn is_redirect(code: u16) -> bool {
    matches!(code, 301 | 302 | 303 | 307 | 308)
}

/// The address to which an answer of `from` with these headers leads, without credentials and fragment.
///
/// # Errors
/// [`Cause::BadRedirect`] if there is none that could be requested.
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

/// `url` without what must not be sent: credentials would become a header, a fragment has no meaning to a server.
pub fn bare(mut url: Url) -> Url {
    if !url.username().is_empty() || url.password().is_some() {
        // Fails only for URLs without a host, which http and https URLs are not.
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
