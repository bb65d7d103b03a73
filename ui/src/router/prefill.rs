//! The query string of the form for a new service.

use std::fmt;

/// What the form for a new service is filled with, in the URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prefill {
    /// The URL to check.
    pub url: String,
    /// Whether to follow a vendor page.
    pub page: bool,
}

/// Comes before the URL, which is the rest of the query string.
const VENDOR_PAGE_KIND: &str = "schedule=shared";

impl From<&str> for Prefill {
    fn from(text: &str) -> Self {
        let (page, rest) = match text.strip_prefix(VENDOR_PAGE_KIND) {
            Some(rest) => (true, rest.trim_start_matches('&')),
            None => (false, text),
        };
        Self {
            url: rest.strip_prefix("url=").unwrap_or_default().to_owned(),
            page,
        }
    }
}

impl fmt::Display for Prefill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = if self.url.is_empty() {
            String::new()
        } else {
            format!("url={}", self.url)
        };
        match (self.page, url.as_str()) {
            (false, url) => f.write_str(url),
            (true, "") => f.write_str(VENDOR_PAGE_KIND),
            (true, url) => write!(f, "{VENDOR_PAGE_KIND}&{url}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_string_round_trips() {
        for (text, url, page) in [
            ("", "", false),
            (
                "url=https://example.com/?a=b&c",
                "https://example.com/?a=b&c",
                false,
            ),
            ("schedule=shared", "", true),
            (
                "schedule=shared&url=status.example.com",
                "status.example.com",
                true,
            ),
        ] {
            let prefill = Prefill::from(text);
            assert_eq!(
                prefill,
                Prefill {
                    url: url.to_owned(),
                    page
                },
                "{text}"
            );
            assert_eq!(prefill.to_string(), text);
        }
    }
}
