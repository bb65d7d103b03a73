//! Status lines and headers.

use super::{answer, answer_and_stay, head, ok_with, steps};
use crate::server::Step::{Dribble, Forever, Read, Reset, Send, Wait};
use crate::{Behaviour, Down, Up};

const OK: &str = "HTTP/1.1 200 OK\r\n\r\nhello";
const BROWSERS: &str = "Chromium reads it";
const LIMITS: &str = "curl has lower limits than browsers";

pub(super) fn servers() -> Vec<Behaviour> {
    [status_lines(), headers(), sizes(), interim(), broken()]
        .into_iter()
        .flatten()
        .collect()
}

fn status_lines() -> Vec<Behaviour> {
    let line = |name, expected, line: &str| {
        answer(
            name,
            expected,
            format!("{line}\r\ncontent-length: 5\r\n\r\nhello"),
        )
    };
    vec![
        answer("a plain answer", Up, OK),
        line("http/1.0", Up, "HTTP/1.0 200 OK"),
        line("no reason", Up, "HTTP/1.1 200 "),
        line("no reason and no space", Up, "HTTP/1.1 200"),
        line("no reason over http/1.0", Up, "HTTP/1.0 200"),
        line("another reason", Up, "HTTP/1.1 200 All is well"),
        line(
            "a very long reason",
            Up,
            &format!("HTTP/1.1 200 {}", "x".repeat(5000)),
        ),
        line("spaces after the reason", Up, "HTTP/1.1 200 OK   "),
        answer(
            "a reason in latin-1",
            Up,
            &b"HTTP/1.1 200 Gr\xfc\xdfe\r\ncontent-length: 0\r\n\r\n"[..],
        ),
        answer(
            "a reason with a control character",
            Up,
            "HTTP/1.1 200 O\u{1}K\r\ncontent-length: 0\r\n\r\n",
        ),
        line("lower-case http/1.1", Up, "http/1.1 200 OK"),
        line("mixed-case Http/1.1", Up, "Http/1.1 200 OK"),
        line("http/1.2", Up, "HTTP/1.2 200 OK").curl_differs(BROWSERS),
        line("http/2.0 in text", Up, "HTTP/2.0 200 OK"),
        line("http/2 in text", Up, "HTTP/2 200 OK"),
        line("no version", Up, "HTTP 200 OK").curl_differs(BROWSERS),
        line("a version of words", Up, "HTTP/one 200 OK"),
        line("several spaces before the code", Up, "HTTP/1.1   200 OK"),
        line("a tab before the code", Up, "HTTP/1.1\t200 OK").curl_differs(BROWSERS),
        line("shoutcast", Down, "ICY 200 OK"),
        line(
            "four bytes before the status line",
            Up,
            "junkHTTP/1.1 200 OK",
        )
        .curl_differs(BROWSERS),
        line("a code with a letter", Down, "HTTP/1.1 20x OK"),
        line("a code of two digits", Down, "HTTP/1.1 20 OK"),
        line("a code of four digits", Down, "HTTP/1.1 2000 OK"),
        line("no code", Down, "HTTP/1.1"),
        line("the code 099", Down, "HTTP/1.1 099 OK"),
        line("the code 999", Down, "HTTP/1.1 999 OK"),
        line("the code 226", Up, "HTTP/1.1 226 IM Used"),
        line("the code 404", Down, "HTTP/1.1 404 Not Found"),
        line("the code 500", Down, "HTTP/1.1 500 Oh"),
        line(
            "the code 301 without a location",
            Down,
            "HTTP/1.1 301 Moved",
        ),
        answer_and_stay("the code 204", Up, "HTTP/1.1 204 No Content\r\n\r\n"),
        answer_and_stay(
            "the code 205",
            Up,
            "HTTP/1.1 205 Reset\r\ncontent-length: 0\r\n\r\n",
        ),
        answer_and_stay("the code 304", Down, "HTTP/1.1 304 Not Modified\r\n\r\n"),
        answer(
            "the code 204 with a body",
            Up,
            "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello",
        ),
        answer(
            "the code 101 unasked",
            Down,
            "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        ),
    ]
}

fn headers() -> Vec<Behaviour> {
    let bytes = |name, expected, line: &[u8]| {
        let all = [
            b"HTTP/1.1 200 OK\r\n",
            line,
            b"\r\ncontent-length: 0\r\n\r\n",
        ]
        .concat();
        answer(name, expected, all)
    };
    vec![
        answer(
            "line feeds only",
            Up,
            "HTTP/1.1 200 OK\ncontent-length: 5\n\nhello",
        ),
        answer(
            "both kinds of line ends",
            Up,
            "HTTP/1.1 200 OK\r\nserver: x\ncontent-length: 5\r\n\nhello",
        ),
        answer(
            "line feeds only over http/1.0",
            Up,
            "HTTP/1.0 200 OK\nserver: x\n\nhello",
        ),
        answer("an empty line first", Up, format!("\r\n{OK}")).curl_differs(BROWSERS),
        answer("a line feed first", Up, format!("\n{OK}")).curl_differs(BROWSERS),
        answer(
            "many empty lines first",
            Up,
            format!("{}{OK}", "\r\n".repeat(20)),
        )
        .curl_differs("nothing is lost by skipping them"),
        answer("a folded header", Up, ok_with("server: very\r\n  old\r\n")),
        answer(
            "a header folded with a tab",
            Up,
            ok_with("server: very\r\n\told\r\n"),
        ),
        answer(
            "a header folded twice",
            Up,
            ok_with("server: very\r\n very\r\n old\r\n"),
        ),
        answer(
            "a fold in the first header line",
            Up,
            ok_with(" folded: yes\r\n"),
        )
        .curl_differs(BROWSERS),
        answer(
            "a folded length",
            Up,
            "HTTP/1.1 200 OK\r\ncontent-length:\r\n 5\r\n\r\nhello",
        )
        .curl_differs(BROWSERS),
        answer("a space before the colon", Up, ok_with("server : old\r\n")),
        answer("a space in a name", Up, ok_with("bro ken: yes\r\n")),
        answer("a line without a colon", Up, ok_with("nonsense\r\n")).curl_differs(BROWSERS),
        answer("an empty name", Up, ok_with(": nameless\r\n")),
        answer("an empty value", Up, ok_with("empty:\r\n")),
        answer("no space after the colon", Up, ok_with("server:x\r\n")),
        answer("a name beyond ascii", Up, ok_with("n\u{e4}me: x\r\n")),
        answer("a value in utf-8", Up, ok_with("server: gr\u{fc}n\r\n")),
        bytes("a value in latin-1", Up, b"server: gr\xfcn"),
        bytes("a control character in a value", Up, b"server: a\x01b"),
        bytes("a delete character in a value", Up, b"server: a\x7fb"),
        bytes("a zero byte in a value", Down, b"server: a\x00b"),
        answer(
            "names in capitals",
            Up,
            "HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 5\r\n\r\nhello",
        ),
        steps(
            "one byte at a time",
            Up,
            vec![Read, Dribble(ok_with("server: slow\r\n"))],
        ),
        steps(
            "an answer before the question",
            Up,
            vec![Send(OK.into()), Read],
        ),
        steps(
            "an answer before the question that stays",
            Up,
            vec![Send(ok_with("")), Read, Wait],
        ),
    ]
}

fn sizes() -> Vec<Behaviour> {
    let lines = |count: usize, length: usize| {
        let value = "v".repeat(length);
        let lines = (0..count).map(|n| format!("x-{n}: {value}\r\n"));
        ok_with(&lines.collect::<String>())
    };
    let cookies = format!("set-cookie: a={}\r\n", "b".repeat(290)).repeat(60);
    vec![
        answer("a header of 20,000 characters", Up, lines(1, 20_000)),
        answer("60 cookies of 300 characters", Up, ok_with(&cookies)),
        answer("150 header lines", Up, lines(150, 10)),
        answer("900 header lines", Up, lines(900, 10)),
        answer("1,900 header lines", Up, lines(1900, 10)),
        answer("2,100 header lines", Down, lines(2100, 10)).curl_differs("bounded at 2,000 lines"),
        answer("256 KiB of headers", Up, lines(64, 4090)),
        answer("400 KiB of headers", Up, lines(100, 4090)).curl_differs(LIMITS),
        answer("a header of 200 KiB", Up, lines(1, 200 << 10)).curl_differs(LIMITS),
        answer("600 KiB of headers", Down, lines(150, 4090)),
        steps(
            "header lines for ever",
            Down,
            vec![
                Read,
                Send("HTTP/1.1 200 OK\r\n".into()),
                Forever(format!("x: {}\r\n", "y".repeat(99)).into()),
            ],
        ),
        steps(
            "one header line for ever",
            Down,
            vec![
                Read,
                Send("HTTP/1.1 200 OK\r\nx: ".into()),
                Forever(vec![b'y'; 4096]),
            ],
        ),
        steps(
            "a reason for ever",
            Down,
            vec![
                Read,
                Send("HTTP/1.1 200 ".into()),
                Forever(vec![b'y'; 4096]),
            ],
        ),
        steps(
            "empty lines for ever",
            Down,
            vec![Read, Forever(b"\r\n".repeat(500))],
        ),
    ]
}

fn interim() -> Vec<Behaviour> {
    let after = |interim: &str| format!("{interim}{OK}");
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    vec![
        answer("100 first", Up, after("HTTP/1.1 100 Continue\r\n\r\n")),
        answer("103 first", Up, after(hints)),
        answer(
            "102 fifty times",
            Up,
            after(&"HTTP/1.1 102 Processing\r\n\r\n".repeat(50)),
        ),
        answer("199 first", Up, after("HTTP/1.1 199 Odd\r\n\r\n")),
        answer(
            "103 and a bad answer",
            Down,
            [hints.as_bytes(), &head(503, "")].concat(),
        ),
        answer("103 and nothing", Down, hints),
        steps(
            "103 for ever",
            Down,
            vec![Read, Forever(hints.repeat(50).into())],
        ),
        steps(
            "100 for ever",
            Down,
            vec![Read, Forever(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(50))],
        ),
    ]
}

fn broken() -> Vec<Behaviour> {
    vec![
        steps("closed at once", Down, vec![]),
        steps("closed after the request", Down, vec![Read]),
        steps("reset after the request", Down, vec![Read, Reset]),
        steps("silence", Down, vec![Read, Wait]),
        answer("half a status line", Down, "HTTP/1.1 20"),
        answer("a status line alone", Down, "HTTP/1.1 200 OK\r\n")
            .curl_differs("a head without its end may have lost any header"),
        answer(
            "headers without an end",
            Down,
            "HTTP/1.1 200 OK\r\nserver: x\r\n",
        )
        .curl_differs("a head without its end may have lost any header"),
        answer_and_stay(
            "headers without an end that stay",
            Down,
            "HTTP/1.1 200 OK\r\nserver: x\r\n",
        ),
        answer("a page without a head", Down, "<html>hello</html>"),
        answer("text without a head", Down, "hello\r\n\r\nworld\r\n"),
        answer("zero bytes", Down, vec![0; 64]),
        steps(
            "a mail server",
            Down,
            vec![Send(b"220 mail.test ESMTP\r\n".to_vec()), Wait],
        ),
        steps(
            "a shell server",
            Down,
            vec![Send(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), Wait],
        ),
        answer("a tls alert", Down, &b"\x15\x03\x01\x00\x02\x02\x46"[..]),
        answer("frames of http/2 unasked", Down, crate::http2::start()),
    ]
}
