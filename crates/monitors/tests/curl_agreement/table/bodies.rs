//! Bodies without a declared end.

use super::{answer, steps};
use crate::server::Step::{Drip, Forever, Read, Reset, Send, Wait};
use crate::{Behaviour, Down, Up};

const NO_END: &str = "a stream has no end to wait for, and curl waits";
const BOUNDED: &str = "a body is read to a bound, and curl reads on";

pub(super) fn servers() -> Vec<Behaviour> {
    let stream = |name, lines: &str, piece: &str| {
        let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        let all = vec![Read, Send(head.into()), Drip(piece.as_bytes().to_vec())];
        steps(name, Up, all).curl_differs(NO_END)
    };
    let flood = |name, lines: &str, piece: Vec<u8>| {
        let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        steps(name, Up, vec![Read, Send(head.into()), Forever(piece)]).curl_differs(BOUNDED)
    };
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096)).into_bytes();
    vec![
        stream(
            "an event stream",
            "content-type: text/event-stream\r\n",
            "data: x\n\n",
        ),
        stream(
            "an event stream in chunks",
            "content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n",
            "9\r\ndata: x\n\n\r\n",
        ),
        stream(
            "a camera",
            "content-type: multipart/x-mixed-replace; boundary=x\r\n",
            "--x\r\n\r\nimage\r\n",
        ),
        stream(
            "a radio",
            "content-type: audio/mpeg\r\nicy-name: x\r\n",
            "music",
        ),
        stream(
            "lines of json",
            "content-type: application/x-ndjson\r\n",
            "{}\n",
        ),
        steps(
            "a silent event stream",
            Up,
            vec![
                Read,
                Send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n".to_vec()),
                Wait,
            ],
        )
        .curl_differs(NO_END),
        answer(
            "an event stream that fails",
            Down,
            "HTTP/1.1 503 No\r\ncontent-type: text/event-stream\r\n\r\n",
        ),
        answer(
            "an event stream of a declared length that is cut off",
            Down,
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 50\r\n\r\ndata",
        ),
        flood("bytes for ever", "", vec![b'x'; 4096]),
        flood("chunks for ever", "transfer-encoding: chunked\r\n", chunk),
        flood(
            "a body of 100 GB",
            "content-length: 99999999999\r\n",
            vec![b'x'; 4096],
        ),
        steps(
            "a page that never ends",
            Down,
            vec![
                Read,
                Send(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n".to_vec()),
                Drip(b"<p>".to_vec()),
            ],
        ),
        steps(
            "a page that stalls",
            Down,
            vec![
                Read,
                Send(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>".to_vec()),
                Wait,
            ],
        ),
        steps(
            "a reset in a body without length",
            Down,
            vec![Read, Send(b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec()), Reset],
        ),
    ]
}
