//! Cookies, which live for one visit.

use super::{head, routes};
use crate::good;
use crate::server::{Request, tls};
use crate::{Behaviour, Down, Up};

pub(super) fn servers() -> Vec<Behaviour> {
    [walls(), scopes()].into_iter().flatten().collect()
}

/// Sets a cookie at `/`, and is good at `/in` if the request has `wanted`.
fn gate(request: &Request, set: &[&str], wanted: &[&str]) -> Vec<u8> {
    if request.path == "/" {
        let lines: String = set
            .iter()
            .map(|line| format!("set-cookie: {line}\r\n"))
            .collect();
        return head(302, &format!("{lines}location: /in\r\n"));
    }
    let code = if wanted.iter().all(|cookie| request.has_cookie(cookie)) {
        200
    } else {
        403
    };
    head(code, "")
}

macro_rules! gate {
    ($name:literal, $expected:expr, [$($set:literal),*], [$($wanted:literal),*]) => {
        routes($name, $expected, |request| gate(request, &[$($set),*], &[$($wanted),*]))
    };
}

fn walls() -> Vec<Behaviour> {
    vec![
        routes("a wall that sets a cookie", Up, |request| {
            if request.has_cookie("sid=1") {
                head(200, "")
            } else {
                head(302, "set-cookie: sid=1; Path=/\r\nlocation: /\r\n")
            }
        }),
        routes("a wall without a cookie", Down, |request| {
            if request.has_cookie("sid=1") {
                head(200, "")
            } else {
                head(302, "location: /\r\n")
            }
        }),
        routes(
            "a cookie that changes at each hop",
            Up,
            |request| match request.cookie.as_str() {
                "" => head(302, "set-cookie: n=1\r\nlocation: /\r\n"),
                "n=1" => head(302, "set-cookie: n=2\r\nlocation: /\r\n"),
                "n=2" => head(200, ""),
                _ => head(400, ""),
            },
        ),
        routes("a cookie that is taken back", Up, |request| {
            match request.path.as_str() {
                "/" => head(302, "set-cookie: a=b\r\nlocation: /1\r\n"),
                "/1" => head(302, "set-cookie: a=; Max-Age=0\r\nlocation: /2\r\n"),
                _ if request.cookie.is_empty() => head(200, ""),
                _ => head(403, ""),
            }
        }),
        routes(
            "a cookie that is taken back with a date",
            Up,
            |request| match request.path.as_str() {
                "/" => head(302, "set-cookie: a=b\r\nlocation: /1\r\n"),
                "/1" => head(
                    302,
                    "set-cookie: a=; expires=Thu, 01 Jan 1970 00:00:00 GMT\r\nlocation: /2\r\n",
                ),
                _ if request.cookie.is_empty() => head(200, ""),
                _ => head(403, ""),
            },
        ),
        gate!("two cookies", Up, ["a=1", "b=2"], ["a=1", "b=2"]),
        gate!(
            "a cookie of two that comes later",
            Up,
            ["a=1", "a=2"],
            ["a=2"]
        ),
        gate!("a cookie with an equals sign", Up, ["a=b=c"], ["a=b=c"]),
        gate!("a quoted cookie", Up, ["a=\"b c\""], ["a=\"b c\""]),
        gate!(
            "a cookie with unknown attributes",
            Up,
            ["a=b; Odd; Priority=High; SameSite=Lax"],
            ["a=b"]
        ),
        gate!("a cookie for a while", Up, ["a=b; Max-Age=60"], ["a=b"]),
        gate!(
            "a cookie until a date",
            Up,
            ["a=b; Expires=Wed, 09 Jun 2077 10:18:14 GMT"],
            ["a=b"]
        ),
        gate!("a cookie for nobody else", Up, ["a=b; HttpOnly"], ["a=b"]),
        routes("a cookie of 3,000 characters", Up, |request| {
            let cookie = format!("a={}", "b".repeat(3000));
            gate(request, &[&cookie], &[&cookie])
        }),
        routes("a cookie of 5,000 characters", Down, |request| {
            let cookie = format!("a={}", "b".repeat(5000));
            gate(request, &[&cookie], &[&cookie])
        }),
    ]
}

fn scopes() -> Vec<Behaviour> {
    let secure = || tls(good(), rustls::ALL_VERSIONS, &[]);
    vec![
        gate!("a cookie for its path", Up, ["a=b; Path=/in"], ["a=b"]),
        gate!(
            "a cookie for another path",
            Down,
            ["a=b; Path=/out"],
            ["a=b"]
        ),
        gate!(
            "a cookie for half of a path",
            Down,
            ["a=b; Path=/i"],
            ["a=b"]
        ),
        gate!(
            "a cookie for its domain",
            Up,
            ["a=b; Domain=good.test"],
            ["a=b"]
        ),
        gate!(
            "a cookie for its domain with a dot",
            Up,
            ["a=b; Domain=.good.test"],
            ["a=b"]
        ),
        gate!(
            "a cookie for another domain",
            Down,
            ["a=b; Domain=other.test"],
            ["a=b"]
        ),
        gate!(
            "a cookie for a domain below",
            Down,
            ["a=b; Domain=www.good.test"],
            ["a=b"]
        ),
        gate!(
            "a cookie for everybody",
            Down,
            ["a=b; Domain=test"],
            ["a=b"]
        ),
        gate!(
            "a secure cookie over plain http",
            Down,
            ["a=b; Secure"],
            ["a=b"]
        ),
        gate!("a secure cookie over tls", Up, ["a=b; Secure"], ["a=b"]).over(secure()),
        gate!(
            "a host cookie over tls",
            Up,
            ["__Host-a=b; Secure; Path=/"],
            ["__Host-a=b"]
        )
        .over(secure()),
        gate!(
            "a host cookie for a domain",
            Down,
            ["__Host-a=b; Secure; Path=/; Domain=good.test"],
            ["__Host-a=b"]
        )
        .over(secure()),
        gate!(
            "a secure cookie by name that is not",
            Down,
            ["__Secure-a=b"],
            ["__Secure-a=b"]
        )
        .over(secure()),
        routes("a cookie for a host below", Up, |request| {
            across(request, "; Domain=good.test", "www.good.test", true)
        }),
        routes("a cookie that stays on its host", Up, |request| {
            across(request, "", "www.good.test", false)
        }),
        routes("a cookie that does not go to others", Up, |request| {
            across(request, "; Domain=good.test", "other.test", false)
        }),
    ]
}

/// Sets a cookie on `good.test` and redirects to `host`, which is good if it gets it or not.
fn across(request: &Request, attributes: &str, host: &str, is_wanted: bool) -> Vec<u8> {
    if request.host == "good.test" {
        let port = request.port;
        let lines = format!("set-cookie: a=b{attributes}\r\nlocation: http://{host}:{port}/in\r\n");
        return head(302, &lines);
    }
    head(
        if request.has_cookie("a=b") == is_wanted {
            200
        } else {
            403
        },
        "",
    )
}
