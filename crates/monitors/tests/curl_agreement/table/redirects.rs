//! Redirects: which are followed, and to where.

use super::{answer, head, routes};
use crate::server::Request;
use crate::{Behaviour, Down, Up};

/// Codes that browsers do not follow although they begin with 3.
const NOT_A_REDIRECT: &str = "only 301, 302, 303, 307 and 308 are redirects, as in browsers";

pub(super) fn servers() -> Vec<Behaviour> {
    [codes(), chains(), locations(), nowhere()]
        .into_iter()
        .flatten()
        .collect()
}

/// Redirects `/` to `location`; everything but `/` and `/bad` is good.
fn to(request: &Request, location: &str) -> Vec<u8> {
    match request.path.as_str() {
        "/" => head(302, &format!("location: {location}\r\n")),
        "/bad" => head(404, ""),
        _ => head(200, ""),
    }
}

macro_rules! to {
    ($name:literal, $expected:expr, $location:literal) => {
        routes($name, $expected, |request| to(request, $location))
    };
    ($name:literal, $expected:expr, |$request:ident| $location:expr) => {
        routes($name, $expected, |$request| to($request, &$location))
    };
}

macro_rules! code {
    ($name:literal, $expected:expr, $code:literal) => {
        routes($name, $expected, |request| match request.path.as_str() {
            "/" => head($code, "location: /end\r\n"),
            _ => head(200, ""),
        })
    };
}

fn codes() -> Vec<Behaviour> {
    vec![
        code!("redirect 301", Up, 301),
        code!("redirect 302", Up, 302),
        code!("redirect 303", Up, 303),
        code!("redirect 307", Up, 307),
        code!("redirect 308", Up, 308),
        code!("300 with a location", Down, 300).curl_differs(NOT_A_REDIRECT),
        code!("304 with a location", Down, 304).curl_differs(NOT_A_REDIRECT),
        code!("305 with a location", Down, 305).curl_differs(NOT_A_REDIRECT),
        code!("399 with a location", Down, 399).curl_differs(NOT_A_REDIRECT),
        code!("201 with a location", Up, 201),
        code!("503 with a location", Down, 503),
    ]
}

/// Redirects `/n` to `/n-1`, and `/` to `/count-1`.
fn countdown(request: &Request, count: u32) -> Vec<u8> {
    let left = request.path[1..].parse().unwrap_or(count);
    match left {
        0 => head(200, ""),
        left => head(302, &format!("location: /{}\r\n", left - 1)),
    }
}

fn chains() -> Vec<Behaviour> {
    vec![
        routes("one redirect", Up, |request| countdown(request, 1)),
        routes("eight redirects", Up, |request| countdown(request, 8)),
        routes("ten redirects", Up, |request| countdown(request, 10)),
        routes("eleven redirects", Down, |request| countdown(request, 11)),
        routes("a redirect to itself", Down, |_| {
            head(302, "location: /\r\n")
        }),
        routes("a redirect that goes to and fro", Down, |request| {
            let location = if request.path == "/" { "/fro" } else { "/" };
            head(301, &format!("location: {location}\r\n"))
        }),
        routes("a redirect with a body", Up, |request| {
            match request.path.as_str() {
                "/" => b"HTTP/1.1 302 Found\r\nlocation: /end\r\ncontent-length: 5\r\n\r\nmoved"
                    .to_vec(),
                _ => head(200, ""),
            }
        }),
        routes(
            "a redirect with a body that is cut off",
            Up,
            |request| match request.path.as_str() {
                "/" => b"HTTP/1.1 302 Found\r\nlocation: /end\r\ncontent-length: 50\r\n\r\nmoved"
                    .to_vec(),
                _ => head(200, ""),
            },
        ),
        routes("a redirect over http/1.0", Up, |request| {
            match request.path.as_str() {
                "/" => b"HTTP/1.0 302 Found\r\nlocation: /end\r\n\r\n".to_vec(),
                _ => b"HTTP/1.0 200 OK\r\n\r\nhello".to_vec(),
            }
        }),
        routes(
            "a redirect in a refresh header",
            Up,
            |request| match request.path.as_str() {
                "/" => head(200, "refresh: 0; url=/bad\r\n"),
                _ => head(404, ""),
            },
        ),
        to!("a redirect to a bad page", Down, "/bad"),
    ]
}

fn locations() -> Vec<Behaviour> {
    vec![
        to!("a location of a path", Up, "/end"),
        to!("a location of a name", Up, "end"),
        to!("a location of dots", Up, "./a/../end"),
        to!("a location above the root", Up, "../../end"),
        to!("a location of a query", Up, "?end"),
        to!("a location with a query", Up, "/end?a=b&c=d"),
        to!("a location with a fragment", Up, "/end#there"),
        to!("a location with spaces around", Up, "  /end  "),
        to!("a location with spaces inside", Up, "/the end"),
        to!("a location with a tab inside", Up, "/the\tend").curl_differs("browsers drop tabs"),
        to!("a location in utf-8", Up, "/\u{e9}nd"),
        to!("a location with a percent sign", Up, "/100%"),
        to!("a location with braces", Up, "/{end}|^"),
        to!("a location with quotes", Up, "/\"end\"<x>"),
        routes("a location in latin-1", Up, |request| {
            match request.path.as_str() {
                "/" => {
                    b"HTTP/1.1 302 Found\r\nlocation: /\xe9nd\r\ncontent-length: 0\r\n\r\n".to_vec()
                }
                _ => head(200, ""),
            }
        }),
        routes(
            "a location of 7,000 characters",
            Up,
            |request| match request.path.len() {
                1 => head(302, &format!("location: /{}\r\n", "x".repeat(7000))),
                _ => head(200, ""),
            },
        ),
        to!("a whole location", Up, |request| format!(
            "http://good.test:{}/end",
            request.port
        )),
        to!("a location without a scheme", Up, |request| format!(
            "//good.test:{}/end",
            request.port
        )),
        to!("a location on another host", Up, |request| format!(
            "http://other.test:{}/end",
            request.port
        )),
        to!("a location in capitals", Up, |request| format!(
            "HTTP://OTHER.test:{}/end",
            request.port
        )),
        to!("a location with credentials", Up, |request| {
            format!("http://user:secret@other.test:{}/end", request.port)
        }),
        to!("a location by address", Up, |request| format!(
            "http://127.0.0.1:{}/end",
            request.port
        )),
        to!("a location by a short address", Up, |request| format!(
            "http://127.1:{}/end",
            request.port
        )),
        to!("a location on an international host", Up, |request| {
            format!("http://b\u{fc}cher.test:{}/end", request.port)
        }),
        to!("a location with backslashes", Up, |request| format!(
            "http:\\\\other.test:{}\\end",
            request.port
        ))
        .curl_differs("browsers read backslashes as slashes"),
        routes("the same location twice", Up, |request| {
            match request.path.as_str() {
                "/" => head(302, "location: /end\r\nlocation: /end\r\n"),
                _ => head(200, ""),
            }
        }),
        routes("two locations", Down, |request| {
            match request.path.as_str() {
                "/" => head(302, "location: /end\r\nlocation: /other\r\n"),
                _ => head(200, ""),
            }
        })
        .curl_differs("browsers refuse it: whoever adds a line must not choose"),
        to!("a location without an end", Up, "end/"),
        to!(
            "a location with a closed port in its query",
            Up,
            "/end?u=http://good.test:1/"
        ),
    ]
}

fn nowhere() -> Vec<Behaviour> {
    vec![
        answer("no location", Down, head(302, "")),
        to!("an empty location", Down, ""),
        to!("a location to ftp", Down, "ftp://good.test/"),
        to!("a location to a file", Down, "file:///etc/passwd"),
        to!("a location to a script", Down, "javascript:alert(1)"),
        to!("a location to data", Down, "data:text/plain,x"),
        to!("a location to mail", Down, "mailto:a@good.test"),
        to!("a location on a closed port", Down, "http://good.test:1/"),
        to!("a location on port 99999", Down, "http://good.test:99999/"),
        to!("a location on a broken address", Down, "http://[::1/"),
        to!("a location without a host", Down, "http://"),
        to!(
            "a location that does not resolve",
            Down,
            "http://nowhere.invalid/"
        ),
    ]
}
