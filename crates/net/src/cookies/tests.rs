use super::*;

/// Returns the `Cookie` header for `to` after responses with these `Set-Cookie` lines.
fn sent(responses: &[(&str, &str)], to: &str) -> String {
    let mut jar = CookieJar::default();
    for (from, line) in responses {
        let value = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        jar.keep(
            &from.parse().unwrap(),
            &HeaderMap::from_iter([(SET_COOKIE, value)]),
        );
    }
    let header = jar.header(&to.parse().unwrap());
    header.map_or_else(String::new, |value| {
        String::from_utf8(value.as_bytes().to_vec()).unwrap()
    })
}

#[test]
fn cookies_go_back_to_where_they_belong() {
    let here = "https://www.shop.example/a/b";
    for (line, to, expected) in [
        ("a=b", here, "a=b"),
        ("a=b", "https://www.shop.example/a/c", "a=b"),
        ("a=b", "https://www.shop.example/c", ""),
        ("a=b; Path=/", "https://www.shop.example/c", "a=b"),
        ("a=b; Path=/", "https://shop.example/", ""),
        ("a=b; Path=/", "https://sub.www.shop.example/", ""),
        (
            "a=b; Path=/; Domain=shop.example",
            "https://shop.example/",
            "a=b",
        ),
        (
            "a=b; Path=/; Domain=.shop.example",
            "https://api.shop.example/",
            "a=b",
        ),
        (
            "a=b; Path=/; Domain=SHOP.example",
            "https://api.shop.example/",
            "a=b",
        ),
        (
            "a=b; Path=/; Domain=shop.example",
            "https://myshop.example/",
            "",
        ),
        (
            "a=b; Path=/; Domain=other.example",
            "https://other.example/",
            "",
        ),
        (
            "a=b; Path=/; Domain=api.shop.example",
            "https://api.shop.example/",
            "",
        ),
        ("a=b; Path=/; Secure", "https://www.shop.example/", "a=b"),
        ("a=b; Path=/; Secure", "http://www.shop.example/", ""),
        ("a=b; Path=/", "http://www.shop.example/", "a=b"),
        ("a=b; Path=/; Max-Age=0", here, ""),
        (
            "a=b; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            here,
            "a=b",
        ),
        (
            "a=b; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            here,
            "",
        ),
        ("nothing", here, ""),
        ("=b", here, ""),
    ] {
        assert_eq!(sent(&[(here, line)], to), expected, "{line} to {to}");
    }
}

#[test]
fn a_cookie_cannot_be_set_for_everybody_below_a_public_suffix() {
    for (from, line, to, expected) in [
        (
            "https://a.co.uk/",
            "a=b; Domain=co.uk",
            "https://b.co.uk/",
            "",
        ),
        ("https://a.co.uk/", "a=b; Domain=uk", "https://b.uk/", ""),
        (
            "https://a.github.io/",
            "a=b; Domain=github.io",
            "https://b.github.io/",
            "",
        ),
        (
            "https://a.b.github.io/",
            "a=b; Domain=b.github.io",
            "https://c.b.github.io/",
            "a=b",
        ),
        // The host of a public suffix itself keeps its own cookies.
        (
            "https://github.io/",
            "a=b; Domain=github.io",
            "https://github.io/",
            "a=b",
        ),
        (
            "https://github.io/",
            "a=b; Domain=github.io",
            "https://b.github.io/",
            "",
        ),
        (
            "http://192.0.2.1/",
            "a=b; Domain=192.0.2.1",
            "http://192.0.2.1/",
            "a=b",
        ),
        (
            "http://192.0.2.1/",
            "a=b; Domain=2.1",
            "http://192.0.2.1/",
            "",
        ),
        (
            "http://[2001:db8::1]/",
            "a=b",
            "http://[2001:db8::1]/",
            "a=b",
        ),
    ] {
        assert_eq!(sent(&[(from, line)], to), expected, "{from} {line} to {to}");
    }
}

#[test]
fn names_with_a_prefix_keep_their_promise() {
    let (https, http) = ("https://shop.example/", "http://shop.example/");
    for (from, line, is_kept) in [
        (https, "__Host-a=b; Secure; Path=/", true),
        (https, "__Host-a=b; Path=/", false),
        (https, "__Host-a=b; Secure", false),
        (
            https,
            "__Host-a=b; Secure; Path=/; Domain=shop.example",
            false,
        ),
        (https, "__Secure-a=b; Secure", true),
        (https, "__Secure-a=b", false),
        (https, "__secure-a=b", false),
        (http, "a=b; Secure", false),
    ] {
        assert_eq!(
            !sent(&[(from, line)], https).is_empty(),
            is_kept,
            "{from} {line}"
        );
    }
}

#[test]
fn the_later_cookie_counts_and_longer_paths_come_first() {
    let url = "https://shop.example/a/b";
    assert_eq!(sent(&[(url, "a=1"), (url, "a=2")], url), "a=2");
    assert_eq!(sent(&[(url, "a=1"), (url, "a=; Max-Age=0")], url), "");
    let paths = [
        (url, "root=1; Path=/"),
        (url, "deep=2; Path=/a/b"),
        (url, "middle=3; Path=/a"),
    ];
    assert_eq!(sent(&paths, url), "deep=2; middle=3; root=1");
}

#[test]
fn a_jar_is_bounded_and_still_takes_changes() {
    let url: Url = "https://shop.example/".parse().unwrap();
    let mut jar = CookieJar::default();
    let keep = |jar: &mut CookieJar, line: String| {
        let value = HeaderValue::from_str(&line).unwrap();
        jar.keep(&url, &HeaderMap::from_iter([(SET_COOKIE, value)]));
    };
    keep(&mut jar, format!("large={}", "x".repeat(MAX_COOKIE_BYTES)));
    assert_eq!(jar.header(&url), None);
    for n in 0..1000 {
        keep(&mut jar, format!("n{n}={}", "x".repeat(4000)));
    }
    assert_eq!(jar.store.iter_any().count(), MAX_COOKIES);
    assert!(jar.header(&url).unwrap().len() <= MAX_HEADER_BYTES);
    for n in 1..1000 {
        keep(&mut jar, format!("n{n}=; Max-Age=0"));
    }
    keep(&mut jar, "n0=new".into());
    assert_eq!(jar.header(&url).unwrap(), "n0=new");
}
