//! Where a browser goes once it has signed in: an address of the dashboard and nothing else, whatever a link to the
//! sign-in page says.

use percent_encoding::percent_decode_str;
use url::Url;

/// Longer ones than any page's need not be kept.
const MAX: usize = 1000;

/// The path and query to return to, or the dashboard when `wanted` is anything but a path on this server.
pub(crate) fn checked(wanted: Option<&str>) -> &str {
    wanted.filter(|path| path.len() <= MAX && is_own(path)).unwrap_or("/")
}

fn is_own(path: &str) -> bool {
    // What an address means once it has been decoded, by a proxy on the way for instance, must be harmless as well.
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let twice = percent_decode_str(&decoded).decode_utf8_lossy();
    let harmless = |path: &str| {
        let page = path.split(['?', '#']).next().unwrap_or_default();
        path.starts_with('/')
            && !page.contains("//")
            && !page.contains('\\')
            && !path.chars().any(char::is_control)
            && !page.split('/').any(|part| part == "..")
            && page != "/api"
            && !page.starts_with("/api/")
    };
    if !(path.is_ascii() && [path, &decoded, &twice].into_iter().all(harmless)) {
        return false;
    }
    // And as a browser reads it, it stays on the server that it came from.
    let here = Url::parse("https://here.invalid/").expect("this is an address");
    here.join(path).is_ok_and(|url| url.origin() == here.origin())
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
        ] {
            assert_eq!(checked(Some(path)), path);
        }
        let long = format!("/{}", "a".repeat(MAX));
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
            " /",
            "/\u{2028}",
            "/ü",
            "@evil.example",
            &long,
        ] {
            assert_eq!(checked(Some(path)), "/", "{path:?}");
        }
        assert_eq!(checked(None), "/");
    }
}
