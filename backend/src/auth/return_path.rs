//! Validates the path that a browser goes to after signing in: a page of the dashboard and nothing
//! else, whatever the link to the sign-in page contains. Not the sign-in page either, which would
//! redirect again.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use url::Url;

/// Maximum length of a path; no page has a longer one.
const MAX_LENGTH: usize = 1000;

/// Returns `requested` if it is a page of the dashboard, otherwise the dashboard's start page.
pub(crate) fn validate(requested: Option<&str>) -> &str {
    requested
        .filter(|path| path.len() <= MAX_LENGTH && is_own(path))
        .unwrap_or("/")
}

fn is_own(path: &str) -> bool {
    if !path.is_ascii()
        || !decoded(path)
            .iter()
            .all(|text| !text.chars().any(char::is_control))
    {
        return false;
    }
    // Parsed like a browser does, it must still be such a path on the same server.
    let here = Url::parse("https://here.invalid/").expect("this is an address");
    let page = path.split(['?', '#']).next().unwrap_or_default();
    is_page(page)
        && here
            .join(path)
            .is_ok_and(|url| url.origin() == here.origin() && is_page(url.path()))
}

/// Whether a path without its query is a page of the dashboard.
fn is_page(path: &str) -> bool {
    decoded(path).iter().all(|path| {
        path.starts_with('/')
            && !path.contains("//")
            && !path.contains('\\')
            && !path.split('/').any(|part| matches!(part, "." | ".."))
            && !["api", "sign-in"].contains(&path.split(['/', '?', '#']).nth(1).unwrap_or_default())
    })
}

/// Returns the text as it is, decoded once and decoded twice: a proxy on the way may decode it, and
/// it must be harmless after that too.
fn decoded(text: &str) -> [Cow<'_, str>; 3] {
    let once = percent_decode_str(text).decode_utf8_lossy();
    let twice = percent_decode_str(&once).decode_utf8_lossy().into_owned();
    [text.into(), once, twice.into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_returned_to() {
        for path in [
            "/",
            "/incidents",
            "/services/0198c7a2-7c1e-7d3a-9a77-3f4f0f6a5b1e?q=a%20b",
            "/?q=https%3A%2F%2Fa.example%2F&sort=worst",
            "/?q=a//b",
            "/settings#sessions",
            "/services/new?url=https://a.example/./api/x",
            "/?q=/api/../sign-in",
            "/apiary",
        ] {
            assert_eq!(validate(Some(path)), path);
        }
        let long = format!("/{}", "a".repeat(MAX_LENGTH));
        for path in [
            "",
            "incidents",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/%2fevil.example",
            "/%2Fevil.example",
            "/%252fevil.example",
            "%2f%2fevil.example",
            "/%5cevil.example",
            "/%5Cevil.example",
            "/%255cevil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/%09/evil.example",
            "/%0d%0aSet-Cookie:a=b",
            "/a/..//evil.example",
            "/..//evil.example",
            "/%2e%2e//evil.example",
            "https://evil.example",
            "HTTPS:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "/api/auth/logout",
            "/api",
            "/%61pi/auth/local",
            "/x/../api/auth/local",
            "/./api/auth/local",
            "/%2e/api/auth/local",
            "/%2E%2e/api/auth/local",
            "/%252e/api/auth/local",
            "/x/%2e%2E/api/auth/local",
            "/incidents/.",
            "/%3Fx/%2e%2e/api/auth/local",
            "/%3Fx/%252e%252e/api/auth/local",
            "/api%3Fx",
            "/sign-in",
            "/sign-in?error=denied",
            "/sign-in/",
            "/sign%2din",
            " /",
            "/\u{2028}",
            "/ü",
            "@evil.example",
            &long,
        ] {
            assert_eq!(validate(Some(path)), "/", "{path:?}");
        }
        assert_eq!(validate(None), "/");
    }
}
