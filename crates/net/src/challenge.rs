//! Recognises answers of protections against bots, which ask for a browser instead of serving the
//! document.

use http::header::HeaderMap;

/// Maximum length of a title, in characters.
const MAX_TITLE: usize = 100;

/// Beginnings of the titles of such pages, in lower case.
const TITLES: [&str; 7] = [
    "just a moment...",
    "attention required!",
    "ddos-guard",
    "pardon our interruption",
    "human verification",
    "are you a robot",
    "access to this page has been denied",
];
/// What their scripts are called, in lower case.
const SCRIPTS: [&str; 7] = [
    "/cdn-cgi/challenge-platform/",
    "cf-browser-verification",
    "checking your browser before accessing",
    "_incapsula_resource",
    "px-captcha",
    "captcha-delivery.com",
    "awswafcookiedomainlist",
];

/// Returns whether the headers say that the answer is a challenge.
#[must_use]
pub fn is_marked(headers: &HeaderMap) -> bool {
    let is = |name: &str, expected: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.eq_ignore_ascii_case(expected))
    };
    is("cf-mitigated", "challenge") || is("x-amzn-waf-action", "challenge")
}

/// Returns whether an error page asks for a browser or a person.
#[must_use]
pub fn is_challenge_page(html: &str) -> bool {
    let lower = html.to_ascii_lowercase();
    has_challenge_title(html) || SCRIPTS.iter().any(|script| lower.contains(script))
}

/// Returns whether a page with any status code has the title of a challenge. Ordinary pages contain
/// the scripts too.
#[must_use]
pub fn has_challenge_title(html: &str) -> bool {
    title(html).is_some_and(|title| {
        let title = title.to_lowercase();
        TITLES.iter().any(|start| title.starts_with(start))
    })
}

/// Returns the title of a page in one line; `None` if it has none.
#[must_use]
pub fn title(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start
        + lower[start..]
            .find("</title")
            .unwrap_or(lower.len() - start);
    let words: Vec<&str> = html[start..end].split_whitespace().collect();
    let title: String = words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_TITLE)
        .collect();
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use http::header::HeaderValue;

    #[test]
    fn challenges_are_recognised_by_page_and_by_header() {
        for html in [
            "<!DOCTYPE html><html><head><title>Just a moment...</title>",
            "<html><TITLE>Attention Required! | Cloudflare</TITLE>",
            "<script src=\"/cdn-cgi/challenge-platform/h/b/orchestrate.js\">",
            "<iframe src=\"/_Incapsula_Resource?x=1\">",
        ] {
            assert!(is_challenge_page(html), "{html}");
        }
        for html in ["", "<title>All systems operational</title>", "Forbidden"] {
            assert!(!is_challenge_page(html), "{html}");
        }
        let mut headers = HeaderMap::new();
        assert!(!is_marked(&headers));
        headers.insert("cf-mitigated", HeaderValue::from_static("challenge"));
        assert!(is_marked(&headers));
    }

    #[test]
    fn a_title_is_one_short_line() {
        assert_eq!(
            title("<html><title lang=en>\n Just a\n moment... </title><title>x"),
            Some("Just a moment...".into())
        );
        assert_eq!(title("<title>İstanbul").as_deref(), Some("İstanbul"));
        assert_eq!(
            title(&format!("<title>{}", "x".repeat(500))).unwrap().len(),
            100
        );
        for html in ["", "<title", "<title>", "<title> </title>", "plain text"] {
            assert_eq!(title(html), None, "{html}");
        }
    }
}
