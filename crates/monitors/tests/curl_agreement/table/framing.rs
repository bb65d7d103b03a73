//! Lengths and chunks.

use super::{answer, answer_and_stay, steps};
use crate::server::Step::{Dribble, Forever, Read, Reset, Send};
use crate::{Behaviour, Down, Up};

const BROWSERS: &str = "Chromium reads it";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

pub(super) fn servers() -> Vec<Behaviour> {
    [lengths(), encodings(), chunks()]
        .into_iter()
        .flatten()
        .collect()
}

fn lengths() -> Vec<Behaviour> {
    let with = |name, expected, lines: &str| {
        answer(
            name,
            expected,
            format!("HTTP/1.1 200 OK\r\n{lines}\r\nhello"),
        )
    };
    vec![
        answer("no length", Up, "HTTP/1.1 200 OK\r\n\r\nhello"),
        answer(
            "no length and connection close",
            Up,
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
        ),
        answer(
            "no length over http/1.0",
            Up,
            "HTTP/1.0 200 OK\r\n\r\nhello",
        ),
        answer_and_stay(
            "keep-alive over http/1.1",
            Up,
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        ),
        answer_and_stay(
            "keep-alive over http/1.0",
            Up,
            "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello",
        ),
        answer_and_stay(
            "a length over http/1.0",
            Up,
            "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        ),
        answer_and_stay(
            "a length of 0",
            Up,
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        ),
        with("a length of 0 and a body", Up, "content-length: 0\r\n"),
        with(
            "the same length twice",
            Up,
            "content-length: 5\r\ncontent-length: 5\r\n",
        ),
        with("the same length in a list", Up, "content-length: 5, 5\r\n"),
        with(
            "two lengths",
            Down,
            "content-length: 5\r\ncontent-length: 6\r\n",
        ),
        with(
            "two lengths, the longer first",
            Down,
            "content-length: 6\r\ncontent-length: 5\r\n",
        )
        .curl_differs("browsers refuse it: responses could be smuggled"),
        with("a length with zeros", Up, "content-length: 0005\r\n"),
        with("a length with spaces", Up, "content-length:   5  \r\n"),
        with("a negative length", Up, "content-length: -1\r\n").curl_differs(BROWSERS),
        with(
            "a length beyond all bounds",
            Up,
            "content-length: 99999999999999999999999\r\n",
        ),
        with("a length in words", Down, "content-length: many\r\n"),
        with("a length with a plus", Up, "content-length: +5\r\n"),
        with("a length with a unit", Up, "content-length: 5 bytes\r\n"),
        with("a longer body than its length", Up, "content-length: 3\r\n"),
        with(
            "a shorter body than its length",
            Down,
            "content-length: 50\r\n",
        ),
        with(
            "a shorter body over keep-alive",
            Down,
            "connection: keep-alive\r\ncontent-length: 6\r\n",
        ),
        answer(
            "a shorter body over http/1.0",
            Down,
            "HTTP/1.0 200 OK\r\ncontent-length: 50\r\n\r\nhello",
        ),
        answer_and_stay(
            "a body that stalls",
            Down,
            "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello",
        ),
        steps(
            "a reset in the body",
            Down,
            vec![
                Read,
                Send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello".to_vec()),
                Reset,
            ],
        ),
    ]
}

fn encodings() -> Vec<Behaviour> {
    let with = |name, expected, version: &str, lines: &str| {
        let all = format!("HTTP/{version} 200 OK\r\n{lines}\r\n5\r\nhello\r\n0\r\n\r\n");
        answer(name, expected, all)
    };
    vec![
        with("chunks", Up, "1.1", "transfer-encoding: chunked\r\n"),
        with(
            "chunks in capitals",
            Up,
            "1.1",
            "Transfer-Encoding: CHUNKED\r\n",
        ),
        with(
            "chunks and a length",
            Up,
            "1.1",
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        ),
        with(
            "chunks and a longer length",
            Up,
            "1.1",
            "transfer-encoding: chunked\r\ncontent-length: 999\r\n",
        ),
        with(
            "chunks over http/1.0",
            Up,
            "1.0",
            "transfer-encoding: chunked\r\n",
        ),
        with(
            "identity and no length",
            Up,
            "1.1",
            "transfer-encoding: identity\r\n",
        ),
        answer(
            "an unknown content encoding",
            Up,
            "HTTP/1.1 200 OK\r\ncontent-encoding: unheard-of\r\ncontent-length: 5\r\n\r\nhello",
        ),
        answer(
            "broken gzip",
            Up,
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello",
        ),
    ]
}

fn chunks() -> Vec<Behaviour> {
    let with = |name, expected, chunks: &str| answer(name, expected, format!("{CHUNKED}{chunks}"));
    let forever = |name, start: &str, piece: Vec<u8>| {
        steps(
            name,
            Down,
            vec![
                Read,
                Send(format!("{CHUNKED}{start}").into()),
                Forever(piece),
            ],
        )
    };
    vec![
        with("many chunks", Up, &("1\r\nx\r\n".repeat(500) + "0\r\n\r\n")),
        with(
            "hexadecimal chunks",
            Up,
            "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
        ),
        with("a chunk size with zeros", Up, "0005\r\nhello\r\n0\r\n\r\n"),
        with("a space after a chunk size", Up, "5 \r\nhello\r\n0\r\n\r\n"),
        with(
            "a chunk extension",
            Up,
            "5;name=value\r\nhello\r\n0\r\n\r\n",
        ),
        with(
            "a quoted chunk extension",
            Up,
            "5;name=\"a;b\"\r\nhello\r\n0;last\r\n\r\n",
        ),
        with("a trailer", Up, "5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n"),
        with(
            "several trailers",
            Up,
            "5\r\nhello\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n",
        ),
        with(
            "several zeros for the last chunk",
            Up,
            "5\r\nhello\r\n000\r\n\r\n",
        ),
        with("no chunk but the last", Up, "0\r\n\r\n"),
        with("no last chunk", Down, "5\r\nhello\r\n"),
        with(
            "no end of the trailers",
            Down,
            "5\r\nhello\r\n0\r\nx-sum: 1\r\n",
        ),
        with("a cut chunk", Down, "5\r\nhel"),
        with("a cut chunk size", Down, "5\r\nhello\r\n1"),
        with("no chunk at all", Down, ""),
        with(
            "text for a chunk size",
            Down,
            "not a size\r\nhello\r\n0\r\n\r\n",
        ),
        with("an empty chunk size", Down, "\r\nhello\r\n0\r\n\r\n"),
        with("a negative chunk size", Down, "-5\r\nhello\r\n0\r\n\r\n"),
        with(
            "a chunk size beyond all bounds",
            Down,
            "fffffffffffffffffff\r\nhello\r\n",
        ),
        with(
            "a chunk longer than its size",
            Down,
            "3\r\nhello\r\n0\r\n\r\n",
        ),
        with("line feeds only between chunks", Up, "5\nhello\n0\n\n"),
        steps(
            "chunks one byte at a time",
            Up,
            vec![
                Read,
                Dribble(format!("{CHUNKED}5\r\nhello\r\n0\r\n\r\n").into()),
            ],
        ),
        forever("a chunk extension for ever", "5;", vec![b'x'; 4096]),
        forever("a chunk size for ever", "", vec![b'0'; 4096]),
        forever(
            "trailers for ever",
            "5\r\nhello\r\n0\r\n",
            b"x-trailer: yes\r\n".repeat(100),
        ),
        forever(
            "chunk extensions for ever",
            "",
            format!("1;{}\r\nx\r\n", "y".repeat(8000)).into(),
        ),
    ]
}
