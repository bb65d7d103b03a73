//! HTTP/2, frame by frame.

use super::steps;
use crate::http2::{
    CONTINUATION, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PUSH_PROMISE, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, data, frame, headers, list, start,
};
use crate::server::Step::{Forever, Read, Send, Wait};
use crate::server::tls;
use crate::{Behaviour, Down, Up, Verdict, good};

const OK: (&str, &str) = (":status", "200");

/// A server that reads a request, sends frames, and keeps the connection open.
fn frames(name: &'static str, expected: Verdict, frames: &[Vec<u8>]) -> Behaviour {
    let all = [start(), frames.concat()].concat();
    let behaviour = steps(name, expected, vec![Read, Send(all), Wait]);
    behaviour.over(tls(good(), rustls::ALL_VERSIONS, &["h2"]))
}

/// As `frames`, and closes at the end.
fn frames_and_close(name: &'static str, expected: Verdict, all: &[Vec<u8>]) -> Behaviour {
    let mut behaviour = frames(name, expected, &[]);
    let all = [start(), all.concat()].concat();
    behaviour.script = crate::server::Script::Steps(vec![Read, Send(all)]);
    behaviour
}

/// As `frames`, and sends the last one again and again.
fn frames_for_ever(name: &'static str, first: &[Vec<u8>], last: Vec<u8>) -> Behaviour {
    let mut behaviour = frames(name, Down, &[]);
    let first = [start(), first.concat()].concat();
    behaviour.script = crate::server::Script::Steps(vec![Read, Send(first), Forever(last)]);
    behaviour
}

pub(super) fn servers() -> Vec<Behaviour> {
    [good_ones(), sizes(), broken(), endless()]
        .into_iter()
        .flatten()
        .collect()
}

fn good_ones() -> Vec<Behaviour> {
    let end = || data("hello", END_STREAM);
    vec![
        frames("http/2", Up, &[headers(&[OK], 0), end()]),
        frames("http/2 without a body", Up, &[headers(&[OK], END_STREAM)]),
        frames(
            "http/2 with an empty body",
            Up,
            &[headers(&[OK], 0), data("", END_STREAM)],
        ),
        frames(
            "http/2 with a length",
            Up,
            &[headers(&[OK, ("content-length", "5")], 0), end()],
        ),
        frames(
            "http/2 that answers 404",
            Down,
            &[headers(&[(":status", "404")], END_STREAM)],
        ),
        frames(
            "http/2 that answers 503",
            Down,
            &[headers(&[(":status", "503")], END_STREAM)],
        ),
        frames(
            "http/2 that answers 204",
            Up,
            &[headers(&[(":status", "204")], END_STREAM)],
        ),
        frames(
            "http/2 with trailers",
            Up,
            &[
                headers(&[OK], 0),
                data("hello", 0),
                headers(&[("x-sum", "1")], END_STREAM),
            ],
        ),
        frames(
            "http/2 with early hints",
            Up,
            &[
                headers(&[(":status", "103"), ("link", "</x>")], 0),
                headers(&[OK], END_STREAM),
            ],
        ),
        frames(
            "http/2 with many early hints",
            Up,
            &[
                headers(&[(":status", "103"), ("link", "</x>")], 0).repeat(50),
                headers(&[OK], END_STREAM),
            ],
        ),
        frames(
            "http/2 with a padded body",
            Up,
            &[
                headers(&[OK], 0),
                frame(0, PADDED | END_STREAM, 1, b"\x03hello\0\0\0"),
            ],
        ),
        frames(
            "http/2 with split headers",
            Up,
            &[
                frame(HEADERS, END_STREAM, 1, &list(&[OK])),
                frame(CONTINUATION, END_HEADERS, 1, &list(&[("server", "x")])),
            ],
        ),
        frames(
            "http/2 with other frames between",
            Up,
            &[
                frame(PING, 0, 0, &[0; 8]),
                frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0]),
                frame(SETTINGS, 0, 0, &[]),
                headers(&[OK], END_STREAM),
            ],
        ),
        frames(
            "http/2 with frames of an unknown kind",
            Up,
            &[frame(0x42, 0, 0, b"what"), headers(&[OK], END_STREAM)],
        ),
        frames(
            "http/2 that says goodbye after the answer",
            Up,
            &[
                headers(&[OK], 0),
                end(),
                frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]),
            ],
        ),
        frames(
            "http/2 that says goodbye before the answer",
            Up,
            &[
                frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]),
                headers(&[OK], 0),
                end(),
            ],
        ),
        frames(
            "http/2 that has had enough after the answer",
            Up,
            &[
                headers(&[OK], 0),
                end(),
                frame(RST_STREAM, 0, 1, &[0, 0, 0, 0]),
            ],
        ),
        frames_and_close("http/2 that closes", Up, &[headers(&[OK], 0), end()]),
    ]
}

fn sizes() -> Vec<Behaviour> {
    let big = "v".repeat(20_000);
    let cookie = format!("a={}", "b".repeat(290));
    let piece = "v".repeat(4000);
    let many = |name: &'static str, expected, count: usize, value: &str| {
        let names: Vec<_> = (0..count).map(|n| format!("x-{n}")).collect();
        let mut all = vec![OK];
        all.extend(names.iter().map(|name| (name.as_str(), value)));
        frames(name, expected, &[headers(&all, END_STREAM)])
    };
    let cookies: Vec<_> = std::iter::once(OK)
        .chain(std::iter::repeat_n(("set-cookie", cookie.as_str()), 60))
        .collect();
    let lower = "curl's HTTP/2 library takes 64 KiB of headers, browsers 256 KiB";
    vec![
        frames(
            "http/2 with a header of 20,000 characters",
            Up,
            &[headers(&[OK, ("x-big", &big)], END_STREAM)],
        ),
        frames(
            "http/2 with 60 cookies of 300 characters",
            Up,
            &[headers(&cookies, END_STREAM)],
        ),
        many("http/2 with 900 header lines", Up, 900, "short"),
        many("http/2 with 250 KiB of headers", Up, 64, &piece).curl_differs(lower),
        many("http/2 with 600 KiB of headers", Down, 150, &piece),
        many("http/2 with 2,100 header lines", Down, 2100, "short")
            .curl_differs("bounded at 2,000 lines"),
        many("http/2 with 3 MB of headers", Down, 750, &piece),
    ]
}

fn broken() -> Vec<Behaviour> {
    let reset = |code: u8| frame(RST_STREAM, 0, 1, &[0, 0, 0, code]);
    vec![
        frames_and_close("http/2 that closes before the answer", Down, &[]),
        frames_and_close(
            "http/2 that closes in the body",
            Down,
            &[headers(&[OK], 0), data("hel", 0)],
        ),
        frames("http/2 that resets the request", Down, &[reset(2)]),
        frames("http/2 that refuses the request", Down, &[reset(7)]),
        frames(
            "http/2 that resets in the body",
            Down,
            &[headers(&[OK], 0), data("hel", 0), reset(2)],
        ),
        frames(
            "http/2 that sends an error and says goodbye",
            Down,
            &[frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2])],
        ),
        frames(
            "http/2 without a status",
            Down,
            &[headers(&[("server", "x")], END_STREAM)],
        ),
        frames(
            "http/2 with a status of words",
            Down,
            &[headers(&[(":status", "good")], END_STREAM)],
        ),
        frames(
            "http/2 with a name in capitals",
            Down,
            &[headers(&[OK, ("X-Upper", "1")], END_STREAM)],
        ),
        frames(
            "http/2 with a shorter body than its length",
            Down,
            &[
                headers(&[OK, ("content-length", "50")], 0),
                data("hello", END_STREAM),
            ],
        ),
        frames(
            "http/2 with a body before the headers",
            Down,
            &[data("hello", END_STREAM)],
        ),
        frames(
            "http/2 with a push nobody wants",
            Down,
            &[frame(
                PUSH_PROMISE,
                END_HEADERS,
                1,
                &[
                    &[0, 0, 0, 2][..],
                    &list(&[
                        (":method", "GET"),
                        (":path", "/x"),
                        (":scheme", "https"),
                        (":authority", "good.test"),
                    ]),
                ]
                .concat(),
            )],
        ),
        frames(
            "http/2 with a frame that is too large",
            Down,
            &[frame(0, 0, 1, &vec![0; 20_000])],
        ),
        frames(
            "http/2 with broken compression",
            Down,
            &[frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff; 20])],
        ),
        frames("http/2 that stalls", Down, &[]),
        frames(
            "http/2 that stalls in the body",
            Down,
            &[headers(&[OK], 0), data("hel", 0)],
        ),
        steps(
            "http/1.1 where http/2 was agreed on",
            Down,
            vec![Read, Send(super::ok_with(""))],
        )
        .over(tls(good(), rustls::ALL_VERSIONS, &["h2"])),
    ]
}

fn endless() -> Vec<Behaviour> {
    vec![
        frames_for_ever(
            "http/2 with early hints for ever",
            &[],
            headers(&[(":status", "103"), ("link", "</x>")], 0),
        ),
        frames_for_ever(
            "http/2 with headers for ever",
            &[frame(HEADERS, 0, 1, &list(&[OK]))],
            frame(CONTINUATION, 0, 1, &list(&[("x-more", &"y".repeat(900))])),
        ),
        frames_for_ever(
            "http/2 with settings for ever",
            &[],
            frame(SETTINGS, 0, 0, &[]),
        ),
        frames_for_ever(
            "http/2 with pings for ever",
            &[],
            frame(PING, 0, 0, &[0; 8]),
        ),
    ]
}
