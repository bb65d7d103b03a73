//! Security headers of every response.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Policy of the dashboard: its own files, WebAssembly and connections, avatars of known hosts, and
/// no inline script or style.
pub(crate) const DASHBOARD_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: https://avatars.githubusercontent.com https://*.googleusercontent.com https://secure.gravatar.com \
    https://www.gravatar.com; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// Policy of GraphiQL, whose editor and dialogs create style sheets at run time. Scripts must still
/// be its own.
pub(crate) const GRAPHIQL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Policy of everything that is not a page.
const NO_PAGE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
    ),
];

/// Adds the headers of every response, and defaults for those that the handler did not set.
pub(super) fn add(headers: &mut HeaderMap, secure: bool) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if secure {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(NO_PAGE_POLICY));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_avatars_are_those_that_the_policy_allows() {
        let images = DASHBOARD_POLICY
            .split(';')
            .find_map(|rule| rule.trim().strip_prefix("img-src "))
            .unwrap();
        let hosts: Vec<_> = images
            .split_whitespace()
            .filter(|source| source.starts_with("https:"))
            .collect();
        assert_eq!(hosts, crate::auth::avatar::HOSTS);
    }
}
