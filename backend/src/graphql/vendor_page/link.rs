//! Links that a vendor gives.

/// Returns `address` if it is safe to use as a link.
pub(super) fn safe_link(address: Option<&str>) -> Option<String> {
    let url = url::Url::parse(address?).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.into())
}
